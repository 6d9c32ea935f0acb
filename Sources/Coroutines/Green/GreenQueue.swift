internal import AsyncUV
internal import DequeModule

/// A queue between green tasks: takers wait while it is empty, givers while it is full. First come, first served.
@GreenActor
public final class GreenQueue<Element: Sendable> {
    private let capacity: Int
    private var elements: Deque<Element> = []
    private let givers = GreenWaiters()
    private let takers = GreenWaiters()

    /// Makes an empty queue.
    ///
    /// - Parameter capacity: The most elements that wait, at least 1.
    public nonisolated init(capacity: Int = .max) { self.capacity = max(1, capacity) }

    /// How many elements wait.
    public var count: Int { elements.count }

    /// Adds an element, when there is room. If there is, nobody else runs before it returns.
    ///
    /// - Throws: `CancellationError` when the task is killed, or was; the element was not added.
    public func put(_ element: Element) async throws {
        try Task.checkCancellation()
        if elements.count < capacity { return add(element) }
        // Who makes room adds it.
        let place = givers.join { [self] in add(element) }
        _ = try await givers.wait(at: place)
    }

    private func add(_ element: Element) {
        elements.append(element)
        takers.wakeOne()
    }

    /// Takes the oldest element, when there is one. If there is, nobody else runs before it returns.
    ///
    /// - Throws: `CancellationError` when the task is killed, or was; nothing was taken.
    public func get() async throws -> Element {
        try Task.checkCancellation()
        if let element = take() { return element }
        // Who adds an element takes it, for this one.
        var taken: Element?
        let place = takers.join { [self] in taken = take() }
        _ = try await takers.wait(at: place)
        guard let taken else { fatalError("a taker was woken for nothing") }
        return taken
    }

    private func take() -> Element? {
        guard let element = elements.popFirst() else { return nil }
        givers.wakeOne()
        return element
    }
}
