/// Hands elements from tasks to tasks, first in, first out: each element goes to one of the tasks that take.
///
/// ```swift
/// let channel = Channel<String>(capacity: 16, on: loop)
/// let reading = loop.spawn {
///     defer { channel.finish() }
///     for try await line in connection.lines() { try await channel.send(line) }
/// }
/// for try await line in channel { … }
/// ```
///
/// Any number of tasks may send and take at the same time; tasks that wait are served in the order in which they came. A sender is never
/// more than `capacity` elements ahead, so a fast producer does not fill the memory.
///
/// The channel lives on a loop: between tasks of that loop an element costs neither a lock nor a hop. Tasks elsewhere may use it, too,
/// for a hop to the loop and back. Calls that are done at once let other tasks run now and then.
///
/// When the loop ends first, calls throw ``UVError`` with `.canceled`, and elements that nobody has taken are dropped. A channel that
/// nobody finishes keeps those who take waiting.
public final class Channel<Element: Sendable>: AsyncSequence, Sendable {
    public typealias Failure = any Error

    @usableFromInline let ends: ChannelEnds

    /// The loop that the channel lives on.
    public var loop: EventLoop { ends.loop }

    /// The name that its maker has given it, for errors.
    public var label: String? { ends.label }

    /// Makes a channel that lives on a loop.
    ///
    /// - Parameter capacity: How many elements may wait without their sender. With 0 a sender waits until its element is taken; with
    ///   more, tasks that send and take by turns switch less often. Less than 0 is 0.
    public init(capacity: Int = 0, label: String? = nil, on loop: EventLoop = .current ?? .shared) {
        ends = ChannelEnds(capacity, label, loop)
    }

    /// Hands over an element; waits until a task takes it, or until there is room.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever. What can be handed over at once is, whatever the timeout.
    /// - Throws: ``UVError`` with `.brokenPipe` when the channel is finished, also while it waits; `.timedOut`; `.canceled` when the
    ///   loop has ended.
    ///
    /// Cancellation, and any error: nobody gets the element.
    @inlinable
    public func send(_ element: Element, timeout: Duration? = nil) async throws {
        try await ends.send(Parcel(element), timeout)
    }

    /// Hands over an element if a task waits for one or there is room.
    ///
    /// - Returns: Whether it was handed over.
    /// - Throws: As ``send(_:timeout:)``, but for the timeout.
    @inlinable
    public func trySend(_ element: Element) async throws -> Bool { try await ends.trySend(Parcel(element)) }

    /// Takes an element; waits for one. `nil` when the channel is finished and empty.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever. What is there at once is taken, whatever the timeout.
    /// - Throws: ``UVError`` with `.timedOut`; `.canceled` when the loop has ended.
    ///
    /// Cancellation, and any error: nothing has been taken. An element that this task was given before it was cancelled is returned.
    @inlinable
    public func next(timeout: Duration? = nil) async throws -> Element? {
        (try await ends.next(timeout) as? Parcel<Element>)?.element
    }

    /// Ends the channel. The elements in it can still be taken; those who wait to send throw, and their elements are dropped. From
    /// any thread, at once on the loop. Finishing twice is harmless.
    public func finish() { ends.finish() }

    public struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline let channel: Channel

        @inlinable
        init(_ channel: Channel) { self.channel = channel }

        /// As ``Channel/next(timeout:)``, without a timeout.
        @inlinable
        public func next() async throws -> Element? { try await channel.next() }

        // As in TCPConnection's.
        @inlinable
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> Element? {
            try await next()
        }
    }

    /// Several iterators may be used at the same time; each element goes to one of them.
    @inlinable
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

extension Channel: CustomStringConvertible {
    /// For people: `channel "lines"`.
    public var description: String { ends.subject }
}
