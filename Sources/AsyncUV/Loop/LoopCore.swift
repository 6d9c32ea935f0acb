internal import UV

/// The part of an ``EventLoop`` that lives on its thread.
@safe
final class LoopCore {
    /// How many jobs run in a row in a turn that leaves some behind, and for how long. The limit is there because tasks that
    /// yield for ever would starve IO and timers.
    private static let budget = 512
    private static let patience = Duration.milliseconds(1)
    /// How many jobs run between two looks at the clock. The first look starts the measurement. A divisor of the budget.
    private static let glance = 32
    /// What may be done in a turn without waiting, in bytes: see ``charge(_:)``.
    private static let allowance = 1 << 20

    let loop: Loop
    let jobInbox: JobInbox
    let jobs = JobQueue()
    /// What the loop counts, for any thread.
    let gauges: LoopGauges
    /// The head of the list of waits on this loop. Reads of streams are not in it, because they end with their handles.
    let waits = WaitLink("")
    private(set) lazy var sleeps = SleepQueue(self, twin == nil ? .millisecond : .microsecond)
    /// Sleeps that may be late by less than a millisecond. A twin has one order for all.
    private(set) lazy var preciseSleeps = twin == nil ? SleepQueue(self, .microsecond) : sleeps
    let servers: Servers
    /// Set when the loop is about to end. From then on operations are refused.
    var isEnding = false
    /// How a test runs the loop, if one does.
    let twin: LoopTwin?
    /// Whether ``stop()`` was called.
    var isStopped = false

    let wakeup: WakeupHandle
    /// Keeps the loop turning while jobs are left.
    let idle: IdleHandle
    let prepare: PrepareHandle
    let meter: LagMeter
    var mainQueue: MainQueueHandle?
    private var batch = JobInbox.Batch()
    private var foreignCalls: [@Sendable () -> Void] = []
    /// Calls that the loop's own thread has left for the end of the job or callback that is running.
    @exclusivity(unchecked) private var calls: [@Sendable () -> Void] = []
    var owner: EventLoop?
    /// The main actor's executor, when this loop has been asked to run a job of it.
    @exclusivity(unchecked) private var mainExecutor: UnownedSerialExecutor?
    /// Set while a loop ends that its owner runs.
    var ending: TimerHandle?

    convenience init(_ twin: LoopTwin? = nil) throws(UVError) { try self.init(on: Loop(), twin) }

    /// - Parameter loop: A new one, or one that was just adopted.
    init(on loop: Loop, _ twin: LoopTwin? = nil) throws(UVError) {
        self.twin = twin
        let core = Later<LoopCore>()
        wakeup = try WakeupHandle(on: loop) { _ in core.value?.takeForeignJobs() }
        idle = try IdleHandle(on: loop)
        prepare = try PrepareHandle(on: loop)
        jobInbox = JobInbox(wakeup.waker)
        self.loop = loop
        gauges = LoopGauges(loop.tally)
        meter = LagMeter(gauges)
        servers = Servers(on: loop, gauges)
        core.value = self
        prepare.keepsLoopAlive = false
        for handle in own { handle.isInternal = true }
        loop.isLent = true
    }

    /// Runs the loop until it is stopped. The closure is called before the first turn.
    func attach(to owner: EventLoop) throws(UVError) {
        self.owner = owner
        loop.attachment = owner
        RuntimeShortcuts.prepareDiagnosis()
        takeCallbacks(of: owner)
        loop.whenWatched = { [unowned self, unowned owner] in takeCallbacks(of: owner) }
        owner.ending.runBegins()
        try resumeTurning()
        // The callbacks of C code may leave jobs. They run before the loop waits.
        if loop.isAdopted { try countTurns() }
        loop.beforeLendingToC = { [unowned self] in if !prepare.isActive, !isEnding { try? countTurns() } }
        LivingLoops.add(owner)
    }

    /// Lets the next turn not wait, because there may be jobs that came outside of turns, such as before the first.
    func resumeTurning() throws(UVError) {
        try startTurning()
        unsafe isTurning = true
    }

    /// Runs the jobs after each callback; with a number to store after each of them, if the loop is watched for stalls.
    private func takeCallbacks(of owner: EventLoop) {
        let task = unsafe owner.asUnownedTaskExecutor()
        let serial = unsafe owner.serialExecutor.asUnownedSerialExecutor()
        if let twin {
            loop.afterEachCallback = { unsafe self.runJobs(in: twin, task, serial) }
        } else if let watch = loop.stallWatch {
            loop.afterEachCallback = { unsafe self.runJobs(task, serial, watch) }
        } else {
            loop.afterEachCallback = { unsafe self.runJobs(task, serial, nil) }
        }
    }

    private func countTurns() throws(UVError) {
        try prepare.start { [gauges] _ in gauges.turns.add(1) }
    }

    /// What was done so far. Counting turns costs a little in each, so it begins with the first look.
    func readCounters() throws(UVError) -> EventLoop.Counters {
        if !prepare.isActive { try countTurns() }
        return EventLoop.Counters(
            jobs: gauges.jobs.value, foreignJobs: gauges.foreignJobs.value, turns: gauges.turns.value,
            wakeUps: gauges.wakeUps.value)
    }

    /// Measures each turn from now on: see ``EventLoop/measureLag()``.
    func measureLag() throws(UVError) {
        if gauges.isMeasuring { return }
        try loop.configure(.metricsIdleTime)
        try prepare.start { [unowned self, meter] _ in meter.turnEnds(after: loop.idleTime) }
        gauges.beginMeasuring()
    }

    /// Without the jobs of the batch that is running.
    var jobsSoFar: Int { gauges.jobs.value + gauges.foreignJobs.value }

    /// Serves the main actor and `DispatchQueue.main`, if this is the main thread.
    func serveMainQueue() throws(UVError) {
        do throws(UVError) { mainQueue = try MainQueueHandle(on: loop) } catch {
            // This is not the main thread, or the system has no such queue.
            if error.code != .notPermitted, error.code != .notSupported { throw error }
        }
    }

    // MARK: Jobs

    @exclusivity(unchecked) private var isTurning = false
    /// Whether the turn has run all the jobs that it may.
    @exclusivity(unchecked) private var isSpent = false
    /// What is left of the turn's allowance.
    @exclusivity(unchecked) private var allowance = LoopCore.allowance

    /// Charges this turn for something that was done at once, because a task whose calls never wait would starve the others.
    ///
    /// - Returns: Whether the turn has had enough, so that the caller gives way: no more jobs run before the next one.
    @inline(__always)
    func charge(_ cost: Int) -> Bool {
        unsafe allowance &-= cost
        if unsafe allowance > 0 { return false }
        unsafe isSpent = true
        return true
    }

    private func beginTurn() {
        unsafe isSpent = false
        unsafe allowance = Self.allowance
    }

    private func takeForeignJobs() {
        gauges.wakeUps.add(1)
        jobInbox.take(into: &batch)
        gauges.foreignJobs.add(batch.jobs.count + batch.calls.count)
        for entry in batch.jobs { jobs.append(entry) }
        batch.jobs.removeAll(keepingCapacity: batch.jobs.count < JobQueue.most)
        swap(&batch.calls, &foreignCalls)
        for call in foreignCalls { call() }
        foreignCalls.removeAll(keepingCapacity: true)
    }

    /// Calls a closure later in this turn, with no user code around it. In the loop's callbacks and jobs only.
    func callSoon(_ call: @escaping @Sendable () -> Void) { unsafe calls.append(call) }

    func makeCalls() {
        var index = 0
        // A call may add further calls.
        while unsafe index < calls.count {
            unsafe calls[index]()
            index += 1
        }
        unsafe calls.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private func runJobs(_ task: UnownedTaskExecutor, _ serial: UnownedSerialExecutor, _ watch: StallWatch?) {
        watch?.callbackEnded()
        var count = 0
        var deadline: Duration?
        if unsafe !calls.isEmpty { makeCalls() }
        while unsafe !isSpent, let entry = jobs.popFirst() {
            count += 1
            if case .place(let place) = entry {
                if let entry = unsafe comeBack(to: place) { unsafe run(entry, task, serial) }
            } else {
                unsafe run(entry, task, serial)
            }
            watch?.callbackEnded()
            if unsafe !calls.isEmpty { makeCalls() }
            if count % Self.glance == 0, count == Self.budget || isOver(&deadline) { unsafe isSpent = true }
        }
        gauges.jobs.add(count)
        if unsafe isSpent, jobs.isEmpty { beginTurn() }
        if unsafe jobs.isEmpty == isTurning { keepTurning(!jobs.isEmpty) }
    }

    /// As ``runJobs(_:_:)``, in the order that a test wants. How many run does not depend on the time.
    private func runJobs(in twin: LoopTwin, _ task: UnownedTaskExecutor, _ serial: UnownedSerialExecutor) {
        var count = 0
        twin.clock.noteForeignJobs(gauges.foreignJobs.value)
        if unsafe !calls.isEmpty { makeCalls() }
        while unsafe !isSpent, !jobs.isEmpty {
            jobs.bringForward(twin.next(of: jobs.count))
            guard let entry = jobs.popFirst() else { break }
            count += 1
            if case .place(let place) = entry {
                if let entry = unsafe comeBack(to: place) { unsafe run(entry, task, serial) }
            } else {
                unsafe run(entry, task, serial)
            }
            if unsafe !calls.isEmpty { makeCalls() }
            if count == Self.budget || twin.isRestless { unsafe isSpent = true }
        }
        gauges.jobs.add(count)
        if unsafe isSpent, jobs.isEmpty { beginTurn() }
        if unsafe jobs.isEmpty == isTurning { keepTurning(!jobs.isEmpty) }
    }

    /// The first look at the clock sets the deadline. Most turns have no second look.
    private func isOver(_ deadline: inout Duration?) -> Bool {
        let now = Loop.hrtime
        if let deadline { return now >= deadline }
        deadline = now + Self.patience
        return false
    }

    /// Makes the loop not wait, because jobs are left for its next turn.
    private func startTurning() throws(UVError) {
        try idle.start { [unowned self] _ in beginTurn() }
    }

    @inline(__always)
    private func run(_ entry: JobQueue.Entry, _ task: UnownedTaskExecutor, _ serial: UnownedSerialExecutor) {
        switch entry {
        case .task(let job): unsafe job.runSynchronously(on: task)
        case .actor(let job): unsafe job.runSynchronously(on: serial)
        case .taskInActor(let job): unsafe job.runSynchronously(isolatedTo: serial, taskExecutor: task)
        case .main(let job): unsafe job.runSynchronously(on: mainActorsExecutor())
        case .taskInMain(let job): unsafe job.runSynchronously(isolatedTo: mainActorsExecutor(), taskExecutor: task)
        case .anywhere(let job): unsafe RuntimeShortcuts.runAnywhere(job, task)
        case .place(let place): unsafe place.resume()
        case .wait(var wait): wait.resume(returning: ())
        }
    }

    private func mainActorsExecutor() -> UnownedSerialExecutor {
        if let executor = unsafe mainExecutor { return unsafe executor }
        let executor = unsafe MainActor.sharedUnownedExecutor
        unsafe mainExecutor = executor
        return unsafe executor
    }

    /// Resumes a task that gave way, and returns its job if this loop is to run it.
    private func comeBack(to place: UnsafeContinuation<Void, Never>) -> JobQueue.Entry? {
        let count = jobs.count
        unsafe place.resume()
        return jobs.count > count ? jobs.popLast() : nil
    }

    func keepTurning(_ turning: Bool) {
        unsafe isTurning = turning
        if turning {
            try? startTurning()
        } else {
            idle.stop()
            jobs.forgetRoom()
        }
    }
}
