internal import DequeModule
internal import Dispatch
internal import Synchronization
internal import UV

/// A limited number of threads for calls that may block for long, which in libuv's pool would keep files waiting.
///
/// Threads start when they are needed and end after some idle seconds.
final class BlockingLane: Sendable {
    /// For look-ups of names. One that hangs takes half a minute.
    static let lookUps = BlockingLane(threads: 16)
    /// For ``EventLoop/offload(timeout:_:)``.
    static let offload = BlockingLane(threads: 64)

    private static let abandonedCalls = Atomic(0)

    /// Calls that threads are at although nobody waits for them any more, of all lanes.
    static var abandoned: Int { abandonedCalls.load(ordering: .relaxed) }

    fileprivate static func countAbandoned(_ change: Int) { abandonedCalls.add(change, ordering: .relaxed) }

    private struct Call: Sendable {
        let run: @Sendable () -> Void
        /// Called instead of the work when there is no thread for it.
        let refuse: @Sendable (UVError) -> Void
    }

    private struct State: Sendable {
        var waiting: Deque<Call> = []
        var threads = 0
        /// Threads that wait and have not been woken.
        var idle = 0
    }

    private let most: Int
    private let state = Lock(State())
    private let wake = DispatchSemaphore(value: 0)

    private init(threads: Int) { most = threads }

    /// Runs a call on a thread of the lane, after those that came before.
    ///
    /// - Parameter refuse: Called instead, with `.resourceTemporarilyUnavailable`, when the system has no thread for the lane.
    func add(_ run: @escaping @Sendable () -> Void, refuse: @escaping @Sendable (UVError) -> Void) {
        let (wakesThread, needsThread) = state.withLock { state in
            state.waiting.append(Call(run: run, refuse: refuse))
            if state.idle > 0 {
                state.idle -= 1
                return (true, false)
            }
            // Otherwise a thread that is busy now takes it next.
            guard state.threads < most else { return (false, false) }
            state.threads += 1
            return (false, true)
        }
        if wakesThread { wake.signal() }
        if needsThread { startThread() }
    }

    private func startThread() {
        do throws(UVError) { try SystemThread.detach { self.work() } } catch {
            let stuck: Deque<Call> = state.withLock { state in
                state.threads -= 1
                // One of the lane's other threads will take it.
                if state.threads > 0 { return [] }
                defer { state.waiting = [] }
                return state.waiting
            }
            for call in stuck { call.refuse(error) }
        }
    }

    private func work() {
        while let call = next() { call.run() }
    }

    /// The next call; `nil` when there has been none for a while.
    private func next() -> Call? {
        while true {
            let call = state.withLock { state -> Call? in
                if let call = state.waiting.popFirst() { return call }
                state.idle += 1
                return nil
            }
            if let call { return call }
            if wake.wait(timeout: .now() + .seconds(5)) == .success { continue }
            let leaves = state.withLock { state in
                guard state.idle > 0 else { return false }
                state.idle -= 1
                state.threads -= 1
                return true
            }
            if leaves { return nil }
            // Somebody has just woken every thread that was idle: this one's signal is there, or about to be.
            wake.wait()
        }
    }
}

extension EventLoop {
    /// Runs code that blocks, such as calls of a library without async functions, on a thread made for that, while the loop goes
    /// on.
    ///
    /// There are at most 64 such threads for all loops; further calls wait until one is free. Files and look-ups have threads
    /// of their own and are not held up.
    ///
    /// The body sees the task-local values of its caller.
    ///
    /// - Parameter timeout: How long to wait for the body's end, in the line for a thread too; `nil` for ever.
    /// - Throws: What the body throws, ``UVError`` with `.timedOut` when it has not ended in time, `.canceled` when the loop ends
    ///   first.
    ///
    /// Cancellation and timeout: a body that has not begun never begins. A body that has begun goes on in the background, where
    /// `Task.isCancelled` is true, and its result is dropped.
    public func offload<Value: Sendable>(
        timeout: Duration? = nil, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await perform(in: .offload, "offload", within: timeout, body)
    }

    func perform<Value: Sendable>(
        in lane: BlockingLane, _ operation: StaticString, of subject: String? = nil, within timeout: Duration?,
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await perform(operation, of: subject, within: timeout) { _, pending in
            let executor = LaneExecutor(lane)
            let bound = LoopBound(pending)
            let progress = LaneProgress()
            // A task, because a task takes the caller's task-local values along.
            let task = Task(executorPreference: executor) {
                if Task.isCancelled { return }
                let result = Result {
                    if let error = executor.refusal { throw error }
                    return try progress.run(body)
                }
                self.post { bound.open(on: self).finish(result) }
            }
            pending.onCancel = {
                task.cancel()
                progress.abandon()
            }
        }
    }
}

/// How far a body on a thread of a lane has come, to know of those that go on although nobody waits for them.
private final class LaneProgress: Sendable {
    private enum Stage: Int, AtomicRepresentable {
        case waits, runs, runsAbandoned
    }

    private let stage = Atomic(Stage.waits)

    func run<Value>(_ body: () throws -> Value) rethrows -> Value {
        stage.store(.runs, ordering: .relaxed)
        defer {
            if stage.exchange(.waits, ordering: .relaxed) == .runsAbandoned { BlockingLane.countAbandoned(-1) }
        }
        return try body()
    }

    func abandon() {
        // Counted first: the body may end at any moment.
        BlockingLane.countAbandoned(1)
        let (isRunning, _) = stage.compareExchange(expected: .runs, desired: .runsAbandoned, ordering: .relaxed)
        if !isRunning { BlockingLane.countAbandoned(-1) }
    }
}

/// Runs one task, which does not suspend, on a thread of a lane.
private final class LaneExecutor: TaskExecutor {
    private let lane: BlockingLane
    private let refused = Lock<UVError?>(nil)

    init(_ lane: BlockingLane) { self.lane = lane }

    /// The reason why there is no thread. The task then runs where it was started, and throws it.
    var refusal: UVError? { refused.withLock { $0 } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        lane.add {
            unsafe job.runSynchronously(on: self.asUnownedTaskExecutor())
        } refuse: { error in
            self.refused.withLock { $0 = error }
            unsafe job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
