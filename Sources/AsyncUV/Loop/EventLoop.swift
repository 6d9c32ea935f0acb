internal import CPlatform
internal import Synchronization
public import UV

/// A loop that runs async code: tasks that prefer it run on its thread, and so does their IO, without a thread hop.
///
/// ``run(label:servesMainActor:_:)`` gives the calling thread a loop, ``init(label:)`` makes one with a thread of its own, ``shared`` is there for
/// everybody. What belongs to a loop may be used from any task: calls from elsewhere hop to the loop and back.
public final class EventLoop: TaskExecutor {
    /// What a loop has done so far.
    public struct Counters: Sendable {
        /// Jobs run: a job is a piece of a task between two suspensions.
        public var jobs = 0
        /// Jobs and calls that came from other threads.
        public var foreignJobs = 0
        /// Turns of the loop since the first look at its counters.
        public var turns = 0
        /// Wake-ups by other threads.
        public var wakeUps = 0
    }

    /// The name that its maker has given it.
    public let label: String?
    /// The loop's thread; 0 when the loop has ended, since a new thread may get the same number, and between the turns of a loop
    /// that a foreign one drives.
    private let thread: Atomic<UInt>
    let core: LoopBound<LoopCore>
    let jobs: LoopBound<JobQueue>
    let jobInbox: JobInbox
    let gauges: LoopGauges
    let lateJobs = LateJobs()
    let ending = LoopEnding()
    /// Tasks that reports know of, whatever they wait for.
    let tasks = KnownTasks()
    /// Whether this loop is ``shared``.
    let isShared: Bool
    /// The loop's own thread; `nil` for a loop on somebody's thread.
    let ownThread: SystemThread?
    /// Whether the loop runs the main actor and the tasks that prefer no executor: see ``resident``.
    let runsAllTasks: Bool
    private let serial = AtomicLazyReference<LoopSerialExecutor>()
    /// The time of a loop that a test runs.
    let twinClock: TwinClock?

    init(
        _ core: LoopBound<LoopCore>, _ jobs: LoopBound<JobQueue>, _ jobInbox: JobInbox, _ gauges: LoopGauges,
        thread: UInt, label: String?, ownThread: SystemThread? = nil, isShared: Bool = false,
        runsAllTasks: Bool = false, twinClock: TwinClock? = nil
    ) {
        self.runsAllTasks = runsAllTasks
        self.label = label
        self.isShared = isShared
        self.ownThread = ownThread
        self.jobs = jobs
        self.thread = Atomic(thread)
        self.jobInbox = jobInbox
        self.gauges = gauges
        self.core = core
        self.twinClock = twinClock
    }

    /// The loop that the caller runs on.
    public static var current: EventLoop? { Loop.current?.attachment as? EventLoop }

    /// Whether the caller runs on this loop's thread.
    @inline(__always)
    public var isCurrent: Bool { thread.load(ordering: .relaxed) == Self.currentThread }

    @inline(__always)
    static var currentThread: UInt { cplatform_thread_number() }

    func takeThread() { thread.store(Self.currentThread, ordering: .relaxed) }
    func leaveThread() { thread.store(0, ordering: .releasing) }

    // MARK: Executor

    /// The executor for actors that live on the loop.
    public var serialExecutor: LoopSerialExecutor {
        serial.load() ?? serial.storeIfNil(LoopSerialExecutor(self))
    }

    /// Puts a job of a task into the loop's queue. Called by the runtime, on any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        enqueue(.task(UnownedJob(job)))
    }

    @inline(__always)
    func enqueue(_ entry: JobQueue.Entry) {
        if isCurrent {
            jobs.lend(on: self) { $0.append(entry) }
        } else if !jobInbox.add({ $0.jobs.append(entry) }) {
            runLate(entry)
        }
    }

    func runLate(_ entry: JobQueue.Entry) {
        unsafe lateJobs.run(entry, serialExecutor.asUnownedSerialExecutor())
    }

    /// Calls a closure on the loop's thread, later. It is called by the loop itself, so that no user code waits for it and no lock
    /// is held.
    ///
    /// - Returns: False when the loop has ended; the closure is not called then.
    @discardableResult
    func post(_ call: @escaping @Sendable () -> Void) -> Bool {
        guard isCurrent else { return jobInbox.add { $0.calls.append(call) } }
        core.lend(on: self) { $0.callSoon(call) }
        return true
    }

    /// What the loop has done so far.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    public var counters: Counters {
        get async throws { try await withLoop { [core] _ in try core.open(on: self).readCounters() } }
    }

    // MARK: The callback layer

    /// Runs callback-layer code on the loop's thread and returns its value.
    ///
    /// - Throws: What the body throws, ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none; the body does not suspend.
    public func withLoop<Value: Sendable>(_ body: @Sendable (Loop) throws -> Value) async throws -> Value {
        if isCurrent { return try body(core.open(on: self).loop) }
        return try await hop { try body(self.core.open(on: self).loop) }
    }

    /// As ``withLoop(_:)``, for a body that makes something which lives on the loop: a loop that is ending takes nothing more.
    ///
    /// - Parameter operation: For the error then.
    func making<Value: Sendable>(
        _ operation: StaticString, _ body: @Sendable (Loop) throws -> Value
    ) async throws -> Value {
        // A task that has just been resumed knows its callers, for the origin of what it makes.
        if Tracing.isOn { await giveWay() }
        return try await withLoop { loop in
            if core.open(on: self).isEnding { throw ended(operation) }
            return try body(loop)
        }
    }

    /// Runs an operation on the loop, for a task that runs elsewhere or does not prefer the loop.
    func hop<Value: Sendable>(
        _ operation: @Sendable @concurrent () async throws -> Value
    ) async throws -> Value {
        try await withTaskExecutorPreference(self) { @concurrent in
            guard isCurrent else { throw ended("call") }
            return try await operation()
        }
    }

    func ended(_ operation: StaticString) -> UVError {
        UVError(.canceled, in: "\(operation)", of: "a loop that has shut down")
    }
}

extension EventLoop: CustomStringConvertible {
    /// For people: `EventLoop "downloads"`.
    public var description: String { label.map { "EventLoop \"\($0)\"" } ?? "EventLoop" }
}
