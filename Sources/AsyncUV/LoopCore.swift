internal import UV

/// The part of an ``EventLoop`` that lives on its thread.
final class LoopCore {
    /// How many jobs run between two events: tasks that yield for ever must not starve IO and timers.
    private static let budget = 512

    let loop: Loop
    let foreignJobs: ForeignJobs
    let jobs = JobRing()
    @exclusivity(unchecked) var counters = EventLoop.Counters()
    /// The head of the list of what waits here, but for reads: those end with their handles.
    let pendings = PendingLink()
    private(set) lazy var sleepers = Sleepers(self)
    /// Set when the loop is about to end: operations are refused.
    private(set) var isEnding = false

    private let wakeup: WakeupHandle
    /// Keeps the loop turning while jobs are left.
    private let idle: IdleHandle
    private let prepare: PrepareHandle
    private var mainQueue: MainQueueHandle?
    private var batch = ForeignJobs.Batch()
    private var calls: [@Sendable () -> Void] = []
    private var owner: EventLoop?

    init() throws(UVError) {
        let loop = try Loop()
        let core = Later<LoopCore>()
        wakeup = try WakeupHandle(on: loop) { _ in core.value?.takeForeignJobs() }
        idle = try IdleHandle(on: loop)
        prepare = try PrepareHandle(on: loop)
        foreignJobs = ForeignJobs(wakeup.waker)
        self.loop = loop
        core.value = self
        prepare.keepsLoopAlive = false
    }

    /// Runs the loop until it is stopped. Before the first turn the owner is told.
    func attach(to owner: EventLoop) throws(UVError) {
        self.owner = owner
        loop.attachment = owner
        let task = unsafe owner.asUnownedTaskExecutor()
        let serial = unsafe owner.serialExecutor.asUnownedSerialExecutor()
        loop.afterEachCallback = { unsafe self.runJobs(task, serial) }
        // Jobs that came before the first turn.
        try idle.start { _ in }
        unsafe isTurning = true
    }

    /// What was done so far. Counting turns costs a little in each, so it begins with the first look.
    func readCounters() throws(UVError) -> EventLoop.Counters {
        if !prepare.isActive { try prepare.start { [unowned self] _ in unsafe counters.turns += 1 } }
        return unsafe counters
    }

    /// Serves the main actor and `DispatchQueue.main`, if this is the main thread.
    func serveMainQueue() { mainQueue = try? MainQueueHandle(on: loop) }

    // MARK: Jobs

    @exclusivity(unchecked) private var isTurning = false

    private func takeForeignJobs() {
        unsafe counters.wakeUps += 1
        foreignJobs.take(into: &batch)
        unsafe counters.foreignJobs += batch.jobs.count + batch.calls.count
        for entry in batch.jobs { jobs.append(entry) }
        batch.jobs.removeAll(keepingCapacity: true)
        swap(&batch.calls, &calls)
        for call in calls { call() }
        calls.removeAll(keepingCapacity: true)
    }

    private func runJobs(_ task: UnownedTaskExecutor, _ serial: UnownedSerialExecutor) {
        var left = Self.budget
        while left > 0, let entry = jobs.popFirst() {
            left -= 1
            if entry.door != .place {
                unsafe run(entry, task, serial)
            } else if let entry = comeBack(to: entry) {
                unsafe run(entry, task, serial)
            }
        }
        unsafe counters.jobs += Self.budget - left
        if unsafe jobs.isEmpty == isTurning { keepTurning(!jobs.isEmpty) }
    }

    @inline(__always)
    private func run(_ entry: JobRing.Entry, _ task: UnownedTaskExecutor, _ serial: UnownedSerialExecutor) {
        switch entry.door {
        case .task: unsafe entry.job.runSynchronously(on: task)
        case .actor: unsafe entry.job.runSynchronously(on: serial)
        case .taskInActor: unsafe entry.job.runSynchronously(isolatedTo: serial, taskExecutor: task)
        case .place: entry.resume()
        }
    }

    /// It is the turn of a task that gave way: its job, if it is one of this loop.
    private func comeBack(to place: JobRing.Entry) -> JobRing.Entry? {
        let count = jobs.count
        place.resume()
        return jobs.count > count ? jobs.popLast() : nil
    }

    private func keepTurning(_ turning: Bool) {
        unsafe isTurning = turning
        if turning { try? idle.start { _ in } } else { idle.stop() }
    }

    // MARK: End

    private var own: [Handle] { [wakeup, idle, prepare] }

    private func closeUserHandles() {
        for handle in loop.handles where !own.contains(where: { $0 === handle }) { handle.close() }
    }

    /// Ends all operations, closes everything, and leaves the thread. What tasks still want is done elsewhere.
    func end() throws(UVError) {
        guard let owner else { return }
        isEnding = true
        pendings.giveUpAll { owner.ended($0) }
        mainQueue?.close()
        closeUserHandles()
        // What has just been resumed gets a turn here, with its handles still known.
        keepTurning(true)
        try loop.run(.noWait)
        for handle in own { handle.keepsLoopAlive = false }
        repeat { closeUserHandles() } while try loop.run(.once)
        let late = foreignJobs.close()
        // Calls open what is bound to this thread, so they come before the loop leaves it.
        for call in late.calls { call() }
        owner.leaveThread()
        loop.afterEachCallback = nil
        for entry in late.jobs { owner.runLate(entry) }
        while let entry = jobs.popFirst() { owner.runLate(entry) }
        loop.closeAllHandles()
        try loop.run()
        try loop.close()
        loop.attachment = nil
        self.owner = nil
    }
}

/// A value that comes after the closure that needs it. Not weak: a weak reference slows every retain of its object.
final class Later<Value: AnyObject> {
    var value: Value?
}
