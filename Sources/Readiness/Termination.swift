internal import CReadiness

/// SIGTERM and SIGINT (Ctrl-C) as a call.
public enum Termination {
    /// Calls `body` once, on a thread of its own, when the process is asked to end.
    ///
    /// Call it first in the program: threads that run already would still die of the signals.
    /// From then on the program must end by itself; a second signal does nothing.
    public static func onRequest(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        try check(readiness_block_termination(), "pthread_sigmask")
        try WorkerThread.start {
            _ = readiness_wait_termination()
            body()
        }
    }
}
