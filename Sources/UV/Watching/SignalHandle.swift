internal import CLibuv
internal import CPlatform

/// Calls a closure on the loop after a signal to the process.
///
/// Several signals that come during one turn may be one call; there is always a call after the last of them.
public final class SignalHandle: Handle {
    private var onSignal: ((SignalHandle, Signal) -> Void)?
    private var once = false
    private var raw: UnsafeMutablePointer<uv_signal_t> { unsafe memory.assumingMemoryBound(to: uv_signal_t.self) }

    /// Creates a handle that watches nothing yet. Calls `uv_signal_init`.
    public init(on loop: Loop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        unsafe try super.init(on: loop, as: uv_signal_t.self, "signal handle creation", file, line) {
            unsafe uv_signal_init(loop.raw, $0)
        }
    }

    /// Watches for a signal, in place of an earlier one. The signal's own action does not happen meanwhile. The loop's
    /// thread stops blocking it.
    ///
    /// - Parameter once: Stop before the first call; a second signal then has its default action again, and the closure
    ///   may start the handle anew.
    /// - Throws: ``UVError`` with `.invalidArgument` for a number that is no signal, SIGKILL and SIGSTOP;
    ///   an earlier watch goes on. `.resourceBusy` for the signal of `EventLoop.explainAlive(on:)`.
    ///
    /// Calls `uv_signal_start`.
    /// Replaces `uv_signal_start_oneshot`: it marks the handle for good, so that a later start would end after one call, too.
    public func start(
        _ signal: Signal, once: Bool = false, _ onSignal: @escaping (SignalHandle, Signal) -> Void
    ) throws(UVError) {
        try checkOpen("start")
        if signal == .brokenPipe { try BrokenPipeKeeper.begin() }
        if cplatform_reports_on(signal.rawValue) != 0 {
            throw UVError(.resourceBusy, in: "start", of: "a watch for \(signal), on which explainAlive(on:) reports")
        }
        let status = ProcessExit.withSignals {
            let earlier = unsafe raw.pointee.signum
            let status = unsafe uv_signal_start(raw, signalArrived, signal.rawValue)
            // libuv has stopped the watch that it could not replace.
            if status < 0, earlier != 0 { unsafe uv_signal_start(raw, signalArrived, earlier) }
            return status
        }
        try check(status, "start", of: "a watch for \(signal)")
        // A program that a thread of Dispatch or of the cooperative pool has started inherits that all signals are blocked.
        cplatform_unblock_signal(signal.rawValue)
        self.once = once
        self.onSignal = onSignal
    }

    /// Stops watching and drops the closure: the signal has its default action again. SIGPIPE never has it: a write to a
    /// closed connection is an error in either case.
    ///
    /// Calls `uv_signal_stop`.
    public func stop() {
        checkThread()
        guard isOpen else { return }
        ProcessExit.withSignals { _ = unsafe uv_signal_stop(raw) }
        onSignal = nil
    }

    override func beginClose() { ProcessExit.withSignals { super.beginClose() } }

    override func dropClosures() { onSignal = nil }

    fileprivate func arrived(_ signal: Signal) {
        let call = onSignal
        if once { stop() }
        call?(self, signal)
    }
}

private func signalArrived(_ raw: UnsafeMutablePointer<uv_signal_t>?, _ signal: CInt) {
    unsafe callBack(raw, SignalHandle.self) { $0.arrived(Signal(signal)) }
}
