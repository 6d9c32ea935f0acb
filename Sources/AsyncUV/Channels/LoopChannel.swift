/// Hands elements from tasks to tasks: each element to one of those that take, in the order in which they were sent.
///
/// ```swift
/// let channel = LoopChannel<String>(capacity: 16, on: loop)
/// loop.spawn {
///     for try await line in connection.lines { try await channel.send(line) }
///     channel.finish()
/// }
/// for try await line in channel { … }
/// ```
///
/// It lives on a loop, so that between tasks of that loop an element costs neither a lock nor a hop. Tasks elsewhere may use it, too,
/// for a hop to the loop and back. Others run now and then, however fast elements come.
///
/// A task that sends waits while nobody takes, so that it is never far ahead. If those who take end before, ``finish()`` lets it go on.
/// When the loop ends first, calls throw ``UVError`` with `.canceled`, and what was not taken is dropped.
public final class LoopChannel<Element: Sendable>: AsyncSequence, Sendable {
    public typealias Failure = any Error

    @usableFromInline let ends: ChannelEnds

    /// The loop that the channel lives on.
    public var loop: EventLoop { ends.loop }

    /// - Parameter capacity: How many elements may wait without their sender. With 0 a sender waits until its element is taken; with
    ///   more, tasks that send and take by turns switch less often. Less than 0 is 0.
    public init(capacity: Int = 0, on loop: EventLoop = .current ?? .shared) {
        ends = ChannelEnds(capacity, loop)
    }

    /// Hands over an element; waits until somebody takes it, or until there is room.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever. What can be handed over at once is, whatever the timeout.
    /// - Throws: ``UVError`` with `.brokenPipe` when the channel is finished, also while it waits; `.timedOut`.
    ///
    /// Cancellation, and any error: nobody gets the element.
    @inlinable
    public func send(_ element: Element, timeout: Duration? = nil) async throws {
        try await ends.send(Parcel(element), timeout)
    }

    /// Takes an element; waits for one. `nil` when the channel is finished and empty.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever. What is there at once is taken, whatever the timeout.
    /// - Throws: ``UVError`` with `.timedOut`.
    ///
    /// Cancellation, and any error: nothing has been taken.
    @inlinable
    public func next(timeout: Duration? = nil) async throws -> Element? {
        (try await ends.next(timeout) as? Parcel<Element>)?.element
    }

    /// Ends the channel. What it has can still be taken. Those who wait to send throw, and their elements are dropped. Finishing twice
    /// is harmless.
    public func finish() { ends.finish() }

    public struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline let channel: LoopChannel

        @inlinable
        init(_ channel: LoopChannel) { self.channel = channel }

        /// As ``LoopChannel/next(timeout:)``, without a timeout.
        @inlinable
        public func next() async throws -> Element? { try await channel.next() }

        // As in TCPConnection's.
        @inlinable
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> Element? {
            try await next()
        }
    }

    /// Several may be used at the same time.
    @inlinable
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// What of a ``LoopChannel`` does not depend on the type of its elements.
@usableFromInline
final class ChannelEnds: Sendable {
    let loop: EventLoop
    private let core: LoopBound<ChannelCore>

    init(_ capacity: Int, _ loop: EventLoop) {
        self.loop = loop
        core = LoopBound(ChannelCore(capacity: capacity))
    }

    @usableFromInline
    func send(_ parcel: any AnyParcel, _ timeout: Duration?) async throws {
        guard loop.isCurrent else { return try await loop.hop { try await self.send(parcel, timeout) } }
        try checkCancellation()
        if try core.lend(on: loop, { try $0.give(parcel) }) {
            if loop.charge(Cost.memory) { await loop.giveWay() }
            return
        }
        try await loop.perform("send", of: "a channel", within: timeout) { [core, loop] _, wait in
            try core.open(on: loop).give(parcel, wait)
        }
    }

    @usableFromInline
    func next(_ timeout: Duration?) async throws -> (any AnyParcel)? {
        guard loop.isCurrent else { return try await loop.hop { try await self.next(timeout) } }
        try checkCancellation()
        if let parcel = core.lend(on: loop, { $0.take() }) {
            if loop.charge(Cost.memory) { await loop.giveWay() }
            return parcel
        }
        return try await loop.perform("next", of: "a channel", within: timeout) { [core, loop] _, wait in
            core.open(on: loop).take(wait)
        }
    }

    func finish() {
        if loop.isCurrent { return core.open(on: loop).finish() }
        loop.post { [core, loop] in core.open(on: loop).finish() }
    }
}
