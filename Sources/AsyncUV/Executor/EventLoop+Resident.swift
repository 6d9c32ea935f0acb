internal import Synchronization
internal import UV

/// A loop that the main thread lives on: the executor of the main actor and of all tasks that prefer none.
extension EventLoop {
    private static let place = AtomicLazyReference<EventLoop>()

    /// The loop of the main thread, if ``makeResident()`` has made it.
    package static var resident: EventLoop? { place.load() }

    /// Makes the resident loop, on the main thread, which has it as ``current`` from now on. It never ends.
    package static func makeResident() throws(UVError) -> EventLoop {
        let core = try LoopCore()
        let loop = EventLoop(
            LoopBound(core), LoopBound(core.jobs), core.jobInbox, core.gauges, thread: currentThread, label: "main",
            isShared: true,
            runsAllTasks: true)
        try core.attach(to: loop)
        try core.serveMainQueue()
        core.loop.takeSlot()
        return place.storeIfNil(loop)
    }

    /// Runs the resident loop until ``stopResident()``.
    package func runResident() throws(UVError) {
        let core = core.open(on: self)
        try core.resumeTurning()
        try core.loop.run()
    }

    /// Runs the resident loop turn by turn until the condition is true.
    package func runResident(until condition: () -> Bool) throws(UVError) {
        let core = core.open(on: self)
        try core.resumeTurning()
        while !condition() { try core.loop.run(.once) }
    }

    /// Makes ``runResident()`` return. From any thread.
    package func stopResident() { stop() }

    /// Runs a job of the main actor.
    package func enqueueOnMainActor(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        enqueue(runsInMain(job))
    }

    private func runsInMain(_ job: UnownedJob) -> JobQueue.Entry {
        isPreferred(by: job) ? .taskInMain(job) : .main(job)
    }

    /// Runs a job of a task that prefers no executor.
    package func enqueueAnywhere(_ job: consuming ExecutorJob) { enqueue(.anywhere(UnownedJob(job))) }

    /// Runs a job at a time of the clock of `Loop.hrtime`, or a little later.
    ///
    /// - Parameter onMainActor: Whether it is one of the main actor.
    package func enqueue(_ job: consuming ExecutorJob, at time: Duration, onMainActor: Bool) {
        let job = UnownedJob(job)
        let entry = onMainActor ? JobQueue.Entry.main(job) : .anywhere(job)
        if isCurrent { return delay(entry, until: time) }
        post { self.delay(entry, until: time) }
    }

    private func delay(_ entry: JobQueue.Entry, until time: Duration) {
        // Without a timer it is better early than never.
        do throws(UVError) { try core.open(on: self).sleeps.add(DelayedJob(entry, at: time, on: self)) } catch {
            enqueue(entry)
        }
    }
}

/// A job that waits for its time.
private final class DelayedJob: TimerEntry {
    private let entry: JobQueue.Entry
    private let loop: EventLoop

    init(_ entry: JobQueue.Entry, at time: Duration, on loop: EventLoop) {
        self.entry = entry
        self.loop = loop
        super.init(deadline: time)
    }

    override func fire() { loop.enqueue(entry) }
}
