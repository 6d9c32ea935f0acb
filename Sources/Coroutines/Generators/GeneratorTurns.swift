internal import AsyncUV
internal import Synchronization

/// Whose turn it is between the two sides of a ``Generator``. What they say to each other is in ``GeneratorState``.
///
/// Apart from it because it does not depend on the types of the values: what does is compiled into the caller's module,
/// where it knows them.
///
/// Exactly one side runs at a time, mostly inside the consumer's call. A body that has waited for something else may
/// give its value on another thread while its consumer looks, waits or closes: then the lock decides who was first. The
/// consumer reads the phase once for each decision, as it may change under its eyes from `running` to what follows.
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

    /// How many of its `yield`s throw after its generator has been closed.
    private static let patience = 100

    private let state = Atomic(Phase.fresh)
    /// Whether no value is wanted any more. Written with the lock.
    private let closed = Atomic(false)
    private let executor = InlineExecutor()
    @exclusivity(unchecked) private var continuation: UnsafeContinuation<Bool, Never>?
    @exclusivity(unchecked) private var task: Task<Void, Never>?
    /// The number of that task, 0 before it has begun.
    private let runner = Atomic<UInt>(0)
    /// What the body threw. The body's until it is over, then the consumer's.
    private var error: (any Error)?
    /// How many `yield`s the body has made since its generator was closed.
    private var ignored = 0
    private let consumer = Mutex<CheckedContinuation<Void, Never>?>(nil)

    var phase: Phase { state.load(ordering: .acquiring) }

    /// Whether the caller is the body, or something that the body calls inside its consumer's call.
    var isInside: Bool {
        if executor.isDriver { return true }
        return runner.load(ordering: .relaxed) == RuntimeShortcuts.currentTask
    }

    // MARK: The body's side

    /// Gives way to the consumer, with a value. The continuation gets true when there is an answer to it, false when
    /// there is an error, or none as the generator is closed.
    @usableFromInline
    func give(_ continuation: UnsafeContinuation<Bool, Never>) {
        if closed.load(ordering: .relaxed) { return unsafe refuse(continuation) }
        if unsafe self.continuation != nil { fatalError("two tasks of a generator's body yield at the same time") }
        unsafe self.continuation = continuation
        if publish(.given) { return }
        unsafe self.continuation = nil
        unsafe refuse(continuation)
    }

    /// Nobody wants the value. A body that ignores this is cancelled and told again, so that it finds its way out, but
    /// not for ever: in the end it is left at its `yield`.
    private func refuse(_ continuation: UnsafeContinuation<Bool, Never>) {
        // A `yield` of somebody else, after the body.
        if phase != .running { return unsafe continuation.resume(returning: false) }
        ignored += 1
        cancel()
        if ignored <= Self.patience { return unsafe continuation.resume(returning: false) }
        finish(GeneratorError.endIgnored)
    }

    /// Gives way to the consumer for good. That the generator was closed is no news to it.
    func finish(_ error: (any Error)?) {
        let isNews = error as? GeneratorError != .closed || !closed.load(ordering: .relaxed)
        self.error = isNews ? error : nil
        _ = publish(.over)
    }

    /// - Returns: False when the generator has been closed and wants no value.
    private func publish(_ phase: Phase) -> Bool {
        // Its consumer waits for the call to return, and does nothing else.
        if phase == .given, executor.isDriver {
            state.store(phase, ordering: .releasing)
            return true
        }
        let (isWanted, waiting) = consumer.withLock { consumer -> (Bool, CheckedContinuation<Void, Never>?) in
            if phase == .given, closed.load(ordering: .relaxed) { return (false, nil) }
            if phase == .over { closed.store(true, ordering: .relaxed) }
            state.store(phase, ordering: .releasing)
            return (true, consumer.take())
        }
        waiting?.resume()
        return isWanted
    }

    // MARK: The consumer's side

    /// Runs the body until it yields, ends, or waits for something else.
    func begin(_ body: @escaping @Sendable () async -> Void) {
        state.store(.running, ordering: .relaxed)
        executor.drive {
            unsafe task = Task(executorPreference: executor) { [self] in
                runner.store(RuntimeShortcuts.currentTask, ordering: .relaxed)
                await body()
            }
        }
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
        if phase != .given { return false }
        take()
        return true
    }

    /// The value that was given is the caller's now.
    func take() { state.store(.waiting, ordering: .relaxed) }

    /// Waits until it is the consumer's turn. A cancelled consumer cancels the body, which then ends the wait.
    func wait() async {
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
            cancel()
        }
    }

    // MARK: The end

    /// From now on no value is wanted: a body that runs elsewhere is refused at its next `yield`.
    ///
    /// - Returns: The phase at this moment.
    func close() -> Phase {
        consumer.withLock { _ in
            closed.store(true, ordering: .relaxed)
            return phase
        }
    }

    /// The body never begins, or has ended.
    ///
    /// - Throws: What it threw, once.
    func end() throws {
        state.store(.ended, ordering: .relaxed)
        if let error = error.take() { throw error }
    }

    /// A body that waits for something else learns in this way that nobody waits for it.
    func cancel() { unsafe task?.cancel() }
}
