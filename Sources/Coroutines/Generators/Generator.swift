/// A function that gives its consumer a value with each `yield`, and then waits there, with its state, for the next request.
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
/// The body sees the task-local values that hold where it is first asked for a value, until its end.
///
/// A body may also wait for other things, such as a sleep or a socket. Such a generator is an `AsyncSequence` only. A generator
/// whose body asks another generator needs stack for both, like any call: a chain of thousands is too long.
public final class Generator<Input: Sendable, Output: Sendable> {
    /// What the body yields with.
    public struct Yielder: Sendable {
        @usableFromInline let state: GeneratorState<Input, Output>

        @inlinable
        init(_ state: GeneratorState<Input, Output>) { self.state = state }

        /// Gives a value to the consumer and waits until it is asked again.
        ///
        /// - Returns: What the consumer sent.
        /// - Throws: What the consumer threw; ``GeneratorError/closed`` when the generator was closed or dropped, or its
        ///   body has ended. It traps when two tasks of the body yield at the same time.
        @inlinable
        @discardableResult
        public func callAsFunction(_ value: Output) async throws -> Input { try await state.yield(value) }
    }

    @usableFromInline let state: GeneratorState<Input, Output>

    /// Makes a generator whose body has not begun.
    @inlinable
    public init(_ body: @escaping @Sendable (Yielder) async throws -> Void) {
        state = GeneratorState { state in try await body(Yielder(state)) }
    }

    deinit { state.abandon() }

    /// Runs the body to its next `yield`.
    ///
    /// - Returns: The value, `nil` when the body has ended.
    /// - Throws: What the body threw, once; a ``GeneratorError`` for a wrong use.
    @inlinable
    public func next() throws -> Output? {
        if Input.self == Void.self, unsafe state.isWaiting, let nothing = () as? Input {
            return try state.send(nothing)
        }
        return try state.advance()
    }

    /// Gives the waiting `yield` its result and runs the body to the next.
    ///
    /// - Returns: The value, `nil` when the body has ended.
    /// - Throws: What the body threw, once; ``GeneratorError/notStarted`` before the first ``next()``.
    @inlinable
    public func send(_ value: Input) throws -> Output? { try state.send(value) }

    /// Makes the waiting `yield` throw and runs the body to the next.
    ///
    /// - Returns: The next value, if the body catches the error and goes on; `nil` if it catches it and ends.
    /// - Throws: The error, if the body does not catch it or has ended. A body that has not begun never begins. What the
    ///   body itself threw meanwhile comes first. A value that was given late, and that nobody has taken, is dropped.
    public func `throw`(_ error: any Error) throws -> Output? { try state.throw(error) }

    /// Ends the body: its `yield` throws ``GeneratorError/closed``, and so does each further one. Closing twice is harmless.
    ///
    /// A body that waits for something else is cancelled instead, and ends when that wait has ended. A body that closes its own
    /// generator is cancelled, too. A body that yields again after `closed` was thrown is cancelled, and when it has done so a
    /// hundred times it is left suspended for good: what it holds then stays in memory.
    ///
    /// - Throws: What the body threw instead; ``GeneratorError/waitsForSomethingElse`` when the body waits for something before
    ///   it ends; ``GeneratorError/endIgnored`` when it was left suspended.
    public func close() throws { try state.close() }

    /// The error that ended an iteration with plain `for`, which cannot throw.
    public var failure: (any Error)? { state.failure }

    @usableFromInline
    func fail(_ error: any Error) { state.failure = error }
}

extension Generator: Sequence where Input == Void {
    /// Yields the values; it ends early when the body throws, with the error in ``Generator/failure``.
    public struct Iterator: IteratorProtocol {
        @usableFromInline let generator: Generator

        @inlinable
        init(_ generator: Generator) { self.generator = generator }

        @inlinable
        public func next() -> Output? {
            do { return try generator.next() } catch {
                generator.fail(error)
                return nil
            }
        }
    }

    @inlinable
    public func makeIterator() -> Iterator { Iterator(self) }
}

extension Generator: AsyncSequence where Input == Void {
    public struct AsyncIterator: AsyncIteratorProtocol {
        let generator: Generator

        /// Runs the body to its next `yield`; it may wait for other things on the way.
        ///
        /// - Throws: As ``Generator/next()``.
        ///
        /// Cancellation cancels the body; what it waits for may end by that.
        public func next() async throws -> Output? { try await generator.state.advanceAndWait() }

        // Without this function a caller would leave its actor for each value.
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> Output? {
            try await generator.state.advanceAndWait()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(generator: self) }
}
