internal import CLibuv
internal import Synchronization

/// A watch for SIGPIPE that never ends.
///
/// When the last watch for a signal ends, libuv gives the signal its default action, which for SIGPIPE ends the process at
/// the next write of any thread to a closed connection. With this watch there is always another one.
enum BrokenPipeKeeper {
    private static let hasBegun = Mutex(false)

    /// Begins the watch; later calls do nothing.
    ///
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` or `.noMemory`: it needs four descriptors.
    static func begin() throws(UVError) {
        try hasBegun.withLock { (hasBegun) throws(UVError) in
            if hasBegun { return }
            // A loop of its own, which nobody runs: all others may end.
            let loop = unsafe try Loop.makeRaw()
            let signal = UnsafeMutablePointer<uv_signal_t>.allocate(capacity: 1)
            unsafe uv_signal_init(loop, signal)
            // Nobody reads the loop's pipe; libuv does not mind when it is full.
            try check(
                ProcessExit.withSignals { unsafe uv_signal_start(signal, { _, _ in }, SIGPIPE) }, "start",
                of: "a watch for SIGPIPE")
            hasBegun = true
        }
    }
}
