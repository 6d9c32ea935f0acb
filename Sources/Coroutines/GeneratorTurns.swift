internal import Synchronization

/// Whose turn it is between the two sides of a ``Generator``. What they say to each other is in ``GeneratorState``.
///
/// Apart from it because it does not depend on the types of the values: what does is compiled into the caller's module,
/// where it knows them.
///
/// Exactly one side runs at a time. A body that has waited for something else may give its value on another thread while
/// its consumer looks: that is what the phase's ordering, and the lock of the consumer that waits, are for.
@safe
@usableFromInline
final class GeneratorTurns: @unchecked Sendable {
    enum Phase: UInt8, AtomicRepresentable {
        /// The body has not begun.
        case fresh
        /// It is the body's turn.
        case running
        /// The body waits at a `yield`, and its value has not been taken.
        case given
        /// The body waits at a `yield`.
        case waiting
        /// The body has ended, and its error, if there is one, has not been taken.
        case over
        case ended
    }

    private let state = Atomic(Phase.fresh)
    private let closed = Atomic(false)
    private let executor = InlineExecutor()
    @exclusivity(unchecked) private var continuation: UnsafeContinuation<Bool, Never>?
    @exclusivity(unchecked) private var task: Task<Void, Never>?
    private let consumer = Mutex<CheckedContinuation<Void, Never>?>(nil)

    var phase: Phase { state.load(ordering: .acquiring) }

    /// Whether the caller is inside the body, or inside something that the body calls.
    var isInside: Bool { executor.isDriver }

    // MARK: The body's side

    /// Gives way to the consumer, with a value. The continuation gets true when there is an answer to it, false when
    /// there is an error, or none as the generator is closed.
    @usableFromInline
    func give(_ continuation: UnsafeContinuation<Bool, Never>) {
        if closed.load(ordering: .relaxed) { return unsafe continuation.resume(returning: false) }
        if unsafe self.continuation != nil { fatalError("two tasks of a generator's body yield at the same time") }
        unsafe self.continuation = continuation
        publish(.given)
    }

    /// Gives way to the consumer for good.
    func finish() { publish(.over) }

    private func publish(_ phase: Phase) {
        state.store(phase, ordering: .releasing)
        if executor.isDriver { return }
        let waiting = consumer.withLock { $0.take() }
        waiting?.resume()
    }

    // MARK: The consumer's side

    /// Runs the body until it yields, ends, or waits for something else.
    func begin(_ body: @escaping @Sendable () async -> Void) {
        state.store(.running, ordering: .relaxed)
        executor.drive { unsafe task = Task(executorPreference: executor) { await body() } }
    }

    /// Lets the body, which waits at a `yield`, go on until it yields again, ends, or waits for something else.
    ///
    /// - Returns: Whether there is a value; it is the caller's.
    @usableFromInline
    func goOn(answered: Bool) -> Bool {
        guard let waiting = unsafe continuation else { return false }
        unsafe continuation = nil
        state.store(.running, ordering: .relaxed)
        executor.drive { unsafe waiting.resume(returning: answered) }
        return take()
    }

    /// Whether there is a value; it is the caller's now.
    func take() -> Bool {
        if phase != .given { return false }
        state.store(.waiting, ordering: .relaxed)
        return true
    }

    /// Waits until it is the consumer's turn. A cancelled consumer cancels the body, which then ends the wait.
    func wait() async {
        let task = unsafe task
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = consumer.withLock { consumer in
                    if phase != .running { return true }
                    consumer = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        } onCancel: {
            task?.cancel()
        }
    }

    // MARK: The end

    /// From now on no value is wanted.
    func close() { closed.store(true, ordering: .relaxed) }

    /// The body never begins, or what it threw has been taken.
    func end() { state.store(.ended, ordering: .relaxed) }

    /// A body that waits for something else learns in this way that nobody waits for it.
    func cancel() { unsafe task?.cancel() }
}
