internal import AsyncUV
internal import Synchronization

/// Decides whether consumer or body of a ``Generator`` runs. ``GeneratorState`` has the values that they hand to each other.
///
/// The two are separate types because this one does not depend on the types of the values. The other one does, and is compiled
/// into the caller's module, where the types are known.
///
/// Either the consumer or the body runs, mostly the body inside the consumer's call. But a body that has waited for something
/// else may yield on another thread while its consumer asks, waits or closes: then the lock decides who was first. The
/// consumer reads the phase once for each decision, because another thread may change it from `running` at any moment.
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
    /// Whether the generator was closed or its body has ended. Written while the lock is held.
    private let closed = Atomic(false)
    private let executor = InlineExecutor()
    @exclusivity(unchecked) private var continuation: UnsafeContinuation<Bool, Never>?
    @exclusivity(unchecked) private var task: Task<Void, Never>?
    /// The number of that task, 0 before it has begun.
    private let runner = Atomic<UInt>(0)
    /// What the body threw. Written by the body, and read by the consumer after the phase `over`.
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

    /// Hands a value to the consumer. The continuation gets true when the consumer has sent something; false when the `yield`
    /// is to throw, because the consumer has thrown an error or the generator is closed.
    @usableFromInline
    func give(_ continuation: UnsafeContinuation<Bool, Never>) {
        if closed.load(ordering: .relaxed) { return unsafe refuse(continuation) }
        if unsafe self.continuation != nil { fatalError("two tasks of a generator's body yield at the same time") }
        unsafe self.continuation = continuation
        if publish(.given) { return }
        unsafe self.continuation = nil
        unsafe refuse(continuation)
    }

    /// Makes a `yield` throw after the generator was closed. The body is cancelled as well, so that a loop that catches the
    /// error can see its cancellation. After a hundred such `yield`s the body is left suspended.
    private func refuse(_ continuation: UnsafeContinuation<Bool, Never>) {
        // A task that the body has started yields after the body has ended.
        if phase != .running { return unsafe continuation.resume(returning: false) }
        ignored += 1
        cancel()
        if ignored <= Self.patience { return unsafe continuation.resume(returning: false) }
        finish(GeneratorError.endIgnored)
    }

    /// Tells the consumer that the body has ended. A `closed` that the consumer itself has caused is not reported back.
    func finish(_ error: (any Error)?) {
        let isNews = error as? GeneratorError != .closed || !closed.load(ordering: .relaxed)
        self.error = isNews ? error : nil
        _ = publish(.over)
    }

    /// - Returns: False when the generator has been closed and wants no value.
    private func publish(_ phase: Phase) -> Bool {
        // The consumer is inside the call that runs the body, so it cannot look at the phase meanwhile.
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
    /// - Returns: Whether the body has yielded a value, which the caller then owns.
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

    /// Notes that the consumer has taken the value.
    func take() { state.store(.waiting, ordering: .relaxed) }

    /// Waits until the body has yielded or ended. When the consumer is cancelled, the body is cancelled; its end ends the wait.
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

    /// Marks the generator as closed. A body that runs on another thread learns it at its next `yield`.
    ///
    /// - Returns: The phase at this moment.
    func close() -> Phase {
        consumer.withLock { _ in
            closed.store(true, ordering: .relaxed)
            return phase
        }
    }

    /// Notes that the consumer has seen the end of the body, or that the body will never begin.
    ///
    /// - Throws: What the body threw, once.
    func end() throws {
        state.store(.ended, ordering: .relaxed)
        if let error = error.take() { throw error }
    }

    /// Cancels the body's task, so that a wait for something else ends.
    func cancel() { unsafe task?.cancel() }
}
