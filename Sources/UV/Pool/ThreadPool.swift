internal import CLibuv
internal import Synchronization

/// The threads that do what blocks: files, work of your own, and look-ups of names. One pool serves all loops of a process.
///
/// It has four threads unless ``configure(threads:)`` says otherwise before the first request, or the environment's
/// `UV_THREADPOOL_SIZE` does. Requests for which no thread is free wait in a queue without a bound, in order; look-ups get half
/// of the threads at most. Work that blocks for ever keeps its thread for ever.
///
/// A process that exits waits for work that a thread has begun, and for look-ups, for one second; libuv alone would wait for
/// ever.
public enum ThreadPool {
    /// What the pool is doing. Look-ups of names are not counted.
    public struct Statistics: Sendable {
        /// Requests that wait for a thread.
        public var queued: Int
        /// Requests that threads are working on.
        public var running: Int
        /// Requests worked on to the end.
        public var finished: Int
        /// The longest time that a request has waited for a thread so far.
        public var longestWait: Duration
        /// How long all requests together have waited for a thread so far.
        public var totalWait: Duration
        /// Requests that threads are working on although they were given up: their tasks were cancelled or had no more time.
        public var abandoned: Int
    }

    /// What loops count is apart from what threads count: they would fight for one cache line.
    private struct Counters: ~Copyable {
        let submitted = Atomic<Int>(0)
        let canceled = Atomic<Int>(0)
        private let apart = InlineArray<16, Int>(repeating: 0)
        let started = Atomic<Int>(0)
        let finished = Atomic<Int>(0)
        let longestWait = Atomic<UInt64>(0)
        let totalWait = Atomic<UInt64>(0)
        let abandoned = Atomic<Int>(0)
    }

    private static let counters = Counters()
    private static let isStarted = Atomic<Bool>(false)

    /// Sets the number of threads, for the whole process, before anything uses them.
    ///
    /// - Parameter threads: 1 to 1,024.
    /// - Throws: ``UVError`` with `.invalidArgument` for other numbers, `.resourceBusy` once the pool has been used:
    ///   its threads are there for good.
    ///
    /// Calls `uv_os_setenv`.
    public static func configure(threads: Int) throws(UVError) {
        guard (1...1024).contains(threads) else {
            throw UVError(.invalidArgument, in: "configure", of: "a pool of \(threads) threads")
        }
        guard !isStarted.load(ordering: .acquiring) else {
            throw UVError(.resourceBusy, in: "configure", of: "the thread pool, which has started")
        }
        try check(unsafe uv_os_setenv("UV_THREADPOOL_SIZE", "\(threads)"), "configure")
    }

    /// What the pool is doing at the moment. From any thread.
    public static var statistics: Statistics {
        // Read in this order, later stages first: otherwise a request that moves on in between would make `queued` or
        // `running` negative.
        let finished = counters.finished.load(ordering: .acquiring)
        let started = counters.started.load(ordering: .acquiring)
        let canceled = counters.canceled.load(ordering: .acquiring)
        let submitted = counters.submitted.load(ordering: .acquiring)
        return Statistics(
            queued: submitted - canceled - started, running: started - finished, finished: finished,
            longestWait: .nanoseconds(counters.longestWait.load(ordering: .relaxed)),
            totalWait: .nanoseconds(counters.totalWait.load(ordering: .relaxed)),
            abandoned: counters.abandoned.load(ordering: .relaxed))
    }

    // MARK: Inside

    /// Notes that the pool is in use, after which its number of threads is fixed.
    static func begin() { isStarted.store(true, ordering: .releasing) }

    static func requestQueued() {
        begin()
        counters.submitted.add(1, ordering: .releasing)
    }

    static func requestCanceled() { counters.canceled.add(1, ordering: .releasing) }

    static func requestStarted(after wait: UInt64) {
        counters.started.add(1, ordering: .releasing)
        counters.totalWait.add(wait, ordering: .relaxed)
        if wait > counters.longestWait.load(ordering: .relaxed) {
            counters.longestWait.max(wait, ordering: .relaxed)
        }
    }

    /// A request that a thread works on was given up, or one that was is finished.
    static func countAbandoned(_ change: Int) { counters.abandoned.add(change, ordering: .relaxed) }

    static func requestFinished() { counters.finished.add(1, ordering: .releasing) }

    // MARK: Look-ups

    /// The addresses of libuv's own requests for look-ups. libuv tells nobody that a thread is done with such a request, but it
    /// clears the request's function then.
    private static let lookUps = Mutex<Set<UInt>>([])

    static func lookUpBegun(_ work: UnsafeMutableRawPointer) {
        lookUps.withLock { _ = $0.insert(UInt(bitPattern: work)) }
    }

    static func lookUpEnded(_ work: UnsafeMutableRawPointer) {
        lookUps.withLock { _ = $0.remove(UInt(bitPattern: work)) }
    }

    /// How many requests keep threads busy. Queued look-ups count as well, because the pool still does them at its end.
    static var busyRequests: Int {
        let lookUps = lookUps.withLock {
            $0.count { unsafe UnsafePointer<uv__work>(bitPattern: $0)?.pointee.work != nil }
        }
        return statistics.running + lookUps
    }
}
