internal import AsyncUV
internal import UV

#if os(Linux) && compiler(>=6.2) && compiler(<6.4)

// The protocols of custom executors are not public yet; their form may change, so that each compiler needs a look.
@_spi(ExperimentalCustomExecutors) @_spi(ExperimentalScheduling) internal import _Concurrency

/// What the standard library asks for the executors of the main actor and of tasks that prefer none. Both are the resident loop.
final class MainLoopExecutor: MainExecutor, TaskExecutor, SchedulingExecutor {
    /// Of the main actor; otherwise of tasks.
    private let isMain: Bool
    private let loop: EventLoop

    private init(isMain: Bool, _ loop: EventLoop) {
        self.isMain = isMain
        self.loop = loop
    }

    static func checkSupport() throws(UVError) {}

    /// Makes the resident loop the executor.
    static func install() { _createExecutors(factory: Factory.self) }

    private struct Factory: ExecutorFactory {
        private static let loop: EventLoop = {
            guard let loop = EventLoop.resident else { fatalError("executors without a loop") }
            return loop
        }()
        static let mainExecutor: any MainExecutor = MainLoopExecutor(isMain: true, loop)
        static let defaultExecutor: any TaskExecutor = MainLoopExecutor(isMain: false, loop)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        if isMain { loop.enqueueOnMainActor(job) } else { loop.enqueueAnywhere(job) }
    }

    // MARK: The main thread

    /// Called by an async `main`, whose code ends the process itself.
    func run() throws { try loop.runResident() }

    func runUntil(_ condition: () -> Bool) throws { try loop.runResident(until: condition) }

    func stop() { loop.stopResident() }

    var isMainExecutor: Bool { isMain }

    func isIsolatingCurrentContext() -> Bool? { loop.isCurrent }

    func checkIsolated() {
        if !loop.isCurrent { fatalError("code of the main actor runs off the main thread") }
    }

    // MARK: Sleeping

    /// `Task.sleep` comes here.
    func enqueue<C: Clock>(_ job: consuming ExecutorJob, at instant: C.Instant, tolerance: C.Duration?, clock: C) {
        enqueue(job, after: clock.now.duration(to: instant), tolerance: tolerance, clock: clock)
    }

    func enqueue<C: Clock>(_ job: consuming ExecutorJob, after delay: C.Duration, tolerance: C.Duration?, clock: C) {
        // Clocks with another unit sleep by themselves.
        guard let delay = delay as? Duration else { return enqueue(job) }
        loop.enqueue(job, at: Loop.hrtime + delay, onMainActor: isMain)
    }
}

#else

/// Nothing, where the standard library has no custom executors, or others than we know.
enum MainLoopExecutor {
    static func checkSupport() throws(UVError) {
        throw UVError(.notSupported, in: "MainLoop", of: "the standard library of this version of Swift")
    }

    static func install() {}
}

#endif
