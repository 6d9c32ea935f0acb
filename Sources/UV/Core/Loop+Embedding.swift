internal import CLibuv
public import SystemPackage

/// A loop inside a foreign one, and what is set before the first run.
extension Loop {
    /// An option for ``configure(_:)``.
    public enum Option: Sendable {
        /// Measure the time spent waiting: see ``Loop/idleTime``.
        case metricsIdleTime
        /// Keep a signal from interrupting the wait; libuv allows SIGPROF only.
        case blockSignal(Signal)
    }

    /// The descriptor that becomes readable when the loop has something to do, for use in a foreign loop.
    ///
    /// Run the loop once with `.noWait` before the first wait: libuv registers its watchers only then.
    ///
    /// Calls `uv_backend_fd`.
    public var backendFileDescriptor: FileDescriptor {
        checkThread("Loop")
        return unsafe FileDescriptor(rawValue: uv_backend_fd(raw))
    }

    /// How long a foreign loop may wait on ``backendFileDescriptor``, from now on; `nil` is for ever.
    ///
    /// Calls `uv_update_time`, `uv_backend_timeout`.
    public var backendTimeout: Duration? {
        checkThread("Loop")
        // libuv counts from its clock, which may be behind: the foreign loop would wait for too long.
        if !isRunning, isUsable { clock.update() }
        let milliseconds = unsafe isUsable ? uv_backend_timeout(raw) : 0
        return milliseconds < 0 ? nil : .milliseconds(milliseconds)
    }

    /// Sets an option; best before the first run.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for a signal other than SIGPROF, `.badFileDescriptor` when the loop
    ///   is closed.
    ///
    /// Calls `uv_loop_configure`.
    public func configure(_ option: Option) throws(UVError) {
        checkThread("Loop")
        guard isUsable else { throw UVError(.badFileDescriptor, in: "configure", of: "a closed loop") }
        switch option {
        case .metricsIdleTime: try check(unsafe clibuv_configure_metrics_idle_time(raw), "configure")
        case .blockSignal(let signal):
            try check(unsafe clibuv_configure_block_signal(raw, signal.rawValue), "configure", of: "\(signal)")
        }
    }

    /// Makes the loop usable in a child process after `fork()`, before anything else is done with it there.
    ///
    /// The threads of libuv's pool do not survive a fork, and exit handlers of the child may wait for them: leave the
    /// child with `_exit` or replace its program.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` for a closed loop, `.tooManyOpenFiles` and relatives when the system refuses.
    ///
    /// Calls `uv_loop_fork`.
    public func fork() throws(UVError) {
        checkThread("Loop")
        guard isUsable else { throw UVError(.badFileDescriptor, in: "fork", of: "a closed loop") }
        try check(unsafe uv_loop_fork(raw), "fork")
    }
}
