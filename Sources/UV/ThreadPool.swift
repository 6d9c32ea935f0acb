internal import CLibuv
internal import CLinux
internal import Synchronization

/// The threads that do what blocks: files, work of your own, and look-ups of names. One pool serves all loops of a process.
///
/// It has four threads unless ``configure(threads:)`` says otherwise before the first request, or the environment's
/// `UV_THREADPOOL_SIZE` does. What is not being worked on waits in a queue without a bound, in order; look-ups get half of
/// the threads at most. Work that blocks for ever keeps its thread for ever.
///
/// A process that exits waits for work that a thread has begun, for one second; libuv alone would wait for ever.
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
    }

    private static let queued = Atomic<Int>(0)
    private static let running = Atomic<Int>(0)
    private static let done = Atomic<Int>(0)
    private static let longestWait = Atomic<UInt64>(0)
    private static let isStarted = Atomic<Bool>(false)

    /// Sets the number of threads, for the whole process, before anything uses them.
    ///
    /// - Parameter threads: 1 to 1,024.
    /// - Throws: ``UVError`` with `.invalidArgument` for other numbers, `.alreadyInProcess` once the pool has been used:
    ///   its threads are there for good.
    ///
    /// Calls `uv_os_setenv`.
    public static func configure(threads: Int) throws(UVError) {
        guard (1...1024).contains(threads) else {
            throw UVError(.invalidArgument, in: "configure", of: "a pool of \(threads) threads")
        }
        guard !isStarted.load(ordering: .acquiring) else {
            throw UVError(.alreadyInProcess, in: "configure", of: "the thread pool, which has started")
        }
        try check(unsafe uv_os_setenv("UV_THREADPOOL_SIZE", "\(threads)"), "configure")
    }

    /// What the pool is doing at the moment. From any thread.
    public static var statistics: Statistics {
        Statistics(
            queued: queued.load(ordering: .relaxed), running: running.load(ordering: .relaxed),
            finished: done.load(ordering: .relaxed),
            longestWait: .nanoseconds(longestWait.load(ordering: .relaxed)))
    }

    // MARK: Inside

    /// The pool is used from now on.
    static func begin() {
        if isStarted.load(ordering: .relaxed) || isStarted.exchange(true, ordering: .acquiringAndReleasing) { return }
        clinux_limit_exit_wait(runningRequests)
    }

    static func requestQueued() {
        begin()
        queued.add(1, ordering: .relaxed)
    }

    static func requestCanceled() { queued.subtract(1, ordering: .relaxed) }

    static func requestStarted(after wait: UInt64) {
        queued.subtract(1, ordering: .relaxed)
        running.add(1, ordering: .relaxed)
        longestWait.max(wait, ordering: .relaxed)
    }

    static func requestFinished() {
        running.subtract(1, ordering: .relaxed)
        done.add(1, ordering: .relaxed)
    }
}

private func runningRequests() -> CInt { CInt(clamping: ThreadPool.statistics.running) }
