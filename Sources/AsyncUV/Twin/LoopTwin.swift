internal import UV

/// How a test runs a loop: in which order its jobs run, and when its time jumps. The product `UVTesting` builds on it. On the loop's
/// thread only.
package final class LoopTwin {
    /// How the run of a loop has ended.
    package enum End {
        /// The loop was stopped.
        case stopped
        /// Nothing is due, and everything waits: for what is listed, as far as it waits on the loop.
        case stuck([String])
        /// Jobs make one another run without end, and no time goes by.
        case restless
    }

    package let clock: TwinClock
    /// How long to wait, by the system's clock, for other threads, before nothing is thought to come any more.
    private let patience: Duration
    /// Says which of so many ready jobs runs next, counted from the one that waits longest.
    private let order: (Int) -> Int
    /// Hears of each moment in which something is due.
    private let onTime: () -> Void
    private var alarm: TwinAlarm?
    private var idle: [Wait<Void>] = []
    /// How many jobs came from other threads because the run began.
    var begun = 0
    /// Jobs that have run at the present moment.
    private var jobs = 0

    /// More jobs than this in one moment mean that time will never go by.
    private static let most = 1_000_000
    /// How long to wait for sockets and other handles of the system, and for threads that have been heard of, by the system's clock,
    /// before each jump.
    private static let pause = Duration.milliseconds(10)
    /// Threads of the library work on these, and they end by themselves.
    private static let work = ["offload", "look-up"]

    package init(
        _ clock: TwinClock, patience: Duration, order: @escaping (Int) -> Int, onTime: @escaping () -> Void
    ) {
        self.clock = clock
        self.patience = patience
        self.order = order
        self.onTime = onTime
    }

    // MARK: For the loop

    func next(of count: Int) -> Int {
        jobs += 1
        return order(count)
    }

    var isRestless: Bool { jobs > Self.most }

    func makeAlarm(on loop: Loop, _ onTime: @escaping () -> Void) throws(UVError) -> TwinAlarm {
        let alarm = try TwinAlarm(on: loop) { [unowned self] in
            self.onTime()
            onTime()
        }
        self.alarm = alarm
        return alarm
    }

    /// Ends a wait when everything waits.
    func noteIdle(_ wait: Wait<Void>) { idle.append(wait) }

    // MARK: Running

    /// Runs a loop until it is stopped or nothing can happen any more.
    func run(_ core: LoopCore) throws(UVError) -> End {
        let watch = try TimerHandle(on: core.loop)
        watch.isInternal = true
        defer { watch.close() }
        while !core.isStopped {
            let hasRun = try core.turn(.noWait)
            if isRestless { return .restless }
            if hasRun || core.isStopped { continue }
            if try waitForSystem(core, watch) { continue }
            if wakeIdle(core) { continue }
            if let time = alarm?.time {
                clock.jump(to: time)
                jobs = 0
                try alarm?.ring()
            } else if try !waitPatiently(core, watch) {
                return .stuck(core.waiting)
            }
        }
        return .stopped
    }

    private func wakeIdle(_ core: LoopCore) -> Bool {
        if idle.isEmpty { return false }
        let waits = idle
        idle = []
        for wait in waits { wait.finish(.success(())) }
        core.keepTurning(!core.jobs.isEmpty)
        return true
    }

    /// Waits for what goes by the system's clock.
    ///
    /// - Returns: Whether something has come.
    private func waitForSystem(_ core: LoopCore, _ watch: TimerHandle) throws(UVError) -> Bool {
        while clock.isHeld, !core.isStopped { if try wait(core, watch, upTo: Self.pause) { return true } }
        var left = pauses * 10
        while left > 0, isWorking(core) {
            if try wait(core, watch, upTo: Self.pause) { return true }
            left -= 1
        }
        // A request is a write that waits for its peer, too, or one that the pool has just done.
        let hasOthers =
            core.loop.requestCount > 0 || clock.foreignJobs > begun || core.loop.handles.contains { $0.isActive }
        return hasOthers ? try wait(core, watch, upTo: Self.pause) : false
    }

    /// How many pauses are as long as ``patience``. They are counted, because time also goes by while the process is stopped.
    private var pauses: Int { max(1, Int((patience / Self.pause).rounded(.up))) }

    /// Waits for other threads.
    ///
    /// - Returns: Whether something has come.
    private func waitPatiently(_ core: LoopCore, _ watch: TimerHandle) throws(UVError) -> Bool {
        for _ in 0..<pauses { if try wait(core, watch, upTo: Self.pause) { return true } }
        return false
    }

    private func isWorking(_ core: LoopCore) -> Bool {
        let pool = ThreadPool.statistics
        return core.loop.requestCount > 0 && pool.queued + pool.running > 0
            || core.waits.operations.contains { Self.work.contains($0) }
    }

    /// - Returns: Whether the loop has run something.
    private func wait(_ core: LoopCore, _ watch: TimerHandle, upTo time: Duration) throws(UVError) -> Bool {
        var isOver = false
        try watch.start(after: time) { _ in isOver = true }
        defer { watch.stop() }
        while !isOver, !core.isStopped { if try core.turn(.once) { return true } }
        return core.isStopped
    }
}

extension LoopCore {
    /// Runs a turn.
    ///
    /// - Returns: Whether it has run jobs, or left some.
    fileprivate func turn(_ mode: Loop.RunMode) throws(UVError) -> Bool {
        let before = jobsSoFar
        try loop.run(mode)
        return jobsSoFar != before || !jobs.isEmpty
    }

    /// Names what waits on the loop.
    fileprivate var waiting: [String] {
        waits.descriptions + loop.handles.filter { $0.isActive }.map(\.description)
    }
}

extension WaitLink {
    fileprivate var operations: some Sequence<String> { all.lazy.map { "\($0.operation)" } }

    fileprivate var descriptions: [String] {
        all.map { ($0 as? TwinWait.Link).map { "\($0.operation) of \($0.subject)" } ?? "\($0.operation)" }
    }
}
