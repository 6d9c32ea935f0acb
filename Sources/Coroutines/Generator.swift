/// A function that keeps its state: it gives a value with each `yield`, and way to its consumer until it is asked again.
///
/// ```swift
/// let squares = Generator<Void, Int> { yield in
///     for number in 1... { try await yield(number * number) }
/// }
/// for square in squares.prefix(3) { print(square) }
/// ```
///
/// As in Python: ``next()`` runs the body to its first or next `yield`, ``send(_:)`` gives the waiting `yield` its result,
/// ``throw(_:)`` makes it throw, ``close()`` makes it throw ``GeneratorError/closed``. Exactly one side runs: the body
/// runs inside these calls, on the caller's thread. Dropping a generator closes it, so its `defer`s run.
///
/// A body may wait for other things too (a sleep, a socket); then it is an `AsyncSequence` only.
public final class Generator<Input: Sendable, Output: Sendable> {
    /// The body's side.
    public struct Yielder: Sendable {
        fileprivate let state: GeneratorState<Input, Output>

        /// Gives a value to the consumer and waits until it is asked again.
        ///
        /// - Returns: What the consumer sent.
        /// - Throws: What the consumer threw; ``GeneratorError/closed`` when the generator was closed or dropped.
        @discardableResult
        public func callAsFunction(_ value: Output) async throws -> Input { try await state.yield(value) }
    }

    private let state: GeneratorState<Input, Output>

    /// Makes a generator whose body has not begun.
    public init(_ body: @escaping @Sendable (Yielder) async throws -> Void) {
        state = GeneratorState()
        state.body = { state in try await body(Yielder(state: state)) }
    }

    deinit { state.abandon() }

    /// Runs the body to its next `yield`.
    ///
    /// - Returns: The value, `nil` when the body has ended.
    /// - Throws: What the body threw, once; a ``GeneratorError`` for a wrong use.
    public func next() throws -> Output? {
        if Input.self == Void.self, state.hasStarted, let nothing = () as? Input { return try send(nothing) }
        return try state.begin()
    }

    /// Gives the waiting `yield` its result and runs the body to the next.
    ///
    /// - Returns: The value, `nil` when the body has ended.
    /// - Throws: What the body threw, once; ``GeneratorError/notStarted`` before the first ``next()``.
    public func send(_ value: Input) throws -> Output? { try state.resume(.success(value)) }

    /// Makes the waiting `yield` throw and runs the body to the next.
    ///
    /// - Returns: The next value, if the body catches the error and goes on; `nil` if it catches it and ends.
    /// - Throws: The error, if the body does not catch it. A body that has not begun never begins.
    public func `throw`(_ error: any Error) throws -> Output? { try state.resume(.failure(error)) }

    /// Ends the body: its `yield` throws ``GeneratorError/closed``, and so does each further one. Closing twice is harmless.
    ///
    /// - Throws: What the body threw instead.
    public func close() throws { try state.close() }
}

extension Generator: Sequence where Input == Void {
    /// Yields the values; it ends early when the body throws, with the error in ``Generator/failure``.
    public func makeIterator() -> AnyIterator<Output> {
        AnyIterator { [self] in
            do { return try next() } catch {
                state.failure = error
                return nil
            }
        }
    }
}

extension Generator {
    /// What ended an iteration with plain `for`, which cannot throw.
    public var failure: (any Error)? { state.failure }
}

extension Generator: AsyncSequence where Input == Void {
    public struct AsyncIterator: AsyncIteratorProtocol {
        let generator: Generator

        /// Runs the body to its next `yield`; it may wait for other things on the way.
        public func next() async throws -> Output? { try await generator.state.resumeAndWait() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(generator: self) }
}
