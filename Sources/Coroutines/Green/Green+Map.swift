internal import DequeModule

extension Green {
    /// Maps elements with a green task for each, some of them at once; the results come in the order of the elements. As
    /// gevent's `imap`.
    ///
    /// It is lazy: with the first result that is asked for so many tasks begin, and one more with each further result. So no more
    /// than that run, or have a result that nobody has taken yet.
    ///
    /// Its `next()` throws what the body throws; the tasks that are left are killed then, and the sequence is over. They are
    /// killed, too, when the iterator is dropped.
    ///
    /// - Parameter count: How many tasks there are at once, at least 1.
    ///
    /// Cancellation: `CancellationError`; the tasks are killed.
    public static func imap<Elements: Sequence, Value: Sendable>(
        _ elements: Elements, atOnce count: Int,
        _ body: @escaping @GreenActor (Elements.Element) async throws -> Value
    ) -> some AsyncSequence<Value, any Error> where Elements.Element: Sendable {
        GreenMap(elements: elements, count: max(1, count), body: body)
    }
}

/// See ``Green/imap(_:atOnce:_:)``.
private struct GreenMap<Elements: Sequence, Value: Sendable>: AsyncSequence where Elements.Element: Sendable {
    typealias Element = Value
    let elements: Elements
    let count: Int
    let body: @GreenActor (Elements.Element) async throws -> Value

    struct AsyncIterator: AsyncIteratorProtocol {
        private var elements: Elements.Iterator?
        private let count: Int
        private let body: @GreenActor (Elements.Element) async throws -> Value
        private let begun = Begun<Value>()

        init(_ map: GreenMap) {
            elements = map.elements.makeIterator()
            count = map.count
            body = map.body
        }

        mutating func next() async throws -> Value? {
            while begun.tasks.count < count, let element = elements?.next() {
                begun.tasks.append(Green.spawn { [body] in try await body(element) })
            }
            guard let first = begun.tasks.first else { return nil }
            do {
                let value = try await first.join()?.get()
                begun.tasks.removeFirst()
                return value
            } catch {
                elements = nil
                begun.kill()
                throw error
            }
        }

        nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> Value? {
            try await next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// The tasks of an iterator that nobody has asked for yet, in order. They end with it.
private final class Begun<Value: Sendable> {
    var tasks: Deque<GreenTask<Value>> = []

    deinit { kill() }

    func kill() {
        for task in tasks { task.kill() }
        tasks = []
    }
}
