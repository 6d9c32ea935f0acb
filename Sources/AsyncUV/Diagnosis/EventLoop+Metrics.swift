internal import UV

extension EventLoop {
    /// What a loop has done since its creation, and what it is doing.
    public struct Metrics: Sendable {
        /// Turns: each waits for events and handles them. Counted from ``EventLoop/measureLag()`` on, or the first look at the
        /// ``EventLoop/counters``.
        public internal(set) var turns = 0
        /// How long each turn was busy, which is how long an event may have waited for its turn; `nil` without
        /// ``EventLoop/measureLag()``.
        public internal(set) var lag: LagHistogram?
        /// How long the loop has waited for events since ``EventLoop/measureLag()``; of one that a foreign loop drives: how long it
        /// made no turn. The rest of the time it was busy.
        public internal(set) var idleTime = Duration.zero
        /// Jobs run: a job is a piece of a task between two suspensions.
        public internal(set) var jobs = 0
        /// Jobs and calls that came from other threads.
        public internal(set) var foreignJobs = 0
        /// Jobs and calls of other threads that the loop has not taken yet: many, if something blocks the loop.
        public internal(set) var waitingForeignJobs = 0
        /// Wake-ups by other threads.
        public internal(set) var wakeUps = 0
        /// Sleeps, deadlines, ticks and time limits that wait for their time.
        public internal(set) var timers = 0
        /// Connections by TCP and local sockets that are open.
        public internal(set) var connections = 0
        /// Connections that listeners have accepted.
        public internal(set) var acceptedConnections = 0
        /// Connections that this side has opened.
        public internal(set) var openedConnections = 0
        /// Bytes that streams and UDP sockets have received. A file that is sent counts at neither side.
        public internal(set) var bytesReceived = 0
        /// Bytes that the system took from streams and UDP sockets.
        public internal(set) var bytesSent = 0
        /// How often a listener has left new clients to the kernel for a while, because 32 were accepted that nobody took.
        public internal(set) var acceptPauses = 0
        /// How often a listener has paused for 50 ms because the system was out of descriptors or the like.
        public internal(set) var acceptFailures = 0
        /// Operations that their tasks gave up before their end: cancelled, out of time, or ended with the loop. What a thread had
        /// begun goes on: see ``ThreadPool/Statistics/abandoned``.
        public internal(set) var abandonedOperations = 0
    }

    /// What the loop has done so far and what it is doing. On any thread and at once, also while the loop is stuck, and when it has
    /// ended.
    ///
    /// The numbers are read one after the other, while the loop goes on: a byte may be counted whose job is not. What is running at
    /// the moment is counted when it is done.
    public var metrics: Metrics {
        let traffic = Loop.Traffic(gauges.tally)
        return Metrics(
            turns: gauges.turns.value, lag: gauges.measured, idleTime: gauges.idleTime, jobs: gauges.jobs.value,
            foreignJobs: gauges.foreignJobs.value, waitingForeignJobs: jobInbox.count, wakeUps: gauges.wakeUps.value,
            timers: gauges.timers.value, connections: traffic.connections, acceptedConnections: traffic.accepted,
            openedConnections: traffic.connected, bytesReceived: traffic.bytesReceived, bytesSent: traffic.bytesSent,
            acceptPauses: gauges.acceptPauses.value, acceptFailures: traffic.acceptFailures,
            abandonedOperations: gauges.abandoned.value)
    }

    /// Measures from now on how long each turn is busy: see ``Metrics/lag``. A second call does nothing.
    ///
    /// It costs each turn five looks at the clock and a system call that does not wait, and stays on until the loop's end. A loop
    /// without events has no turns and costs nothing.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Calls `uv_loop_configure`, `uv_metrics_idle_time`.
    public func measureLag() async throws {
        try await withLoop { [core] _ in try core.open(on: self).measureLag() }
    }
}

extension EventLoop {
    /// How many bodies of ``offload(timeout:_:)`` and look-ups of names are still running although nobody waits for them, on all
    /// loops: their tasks were cancelled or had no more time. Each keeps one of the threads. On any thread.
    public static var abandonedCalls: Int { BlockingLane.abandoned }
}
