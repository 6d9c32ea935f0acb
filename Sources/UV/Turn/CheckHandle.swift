internal import CLibuv

/// Calls a closure in every turn, right after the loop has waited for events.
public final class CheckHandle: Handle {
    private var onTurn: ((CheckHandle) -> Void)?
    private var raw: UnsafeMutablePointer<uv_check_t> { unsafe memory.assumingMemoryBound(to: uv_check_t.self) }

    /// Creates a stopped handle. Calls `uv_check_init`.
    public init(on loop: Loop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        unsafe try super.init(on: loop, as: uv_check_t.self, "check handle creation", file, line) {
            unsafe uv_check_init(loop.raw, $0)
        }
    }

    /// Calls the closure once each turn from now on; on a running handle it replaces the closure.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when the handle is closed.
    ///
    /// Calls `uv_check_start`.
    public func start(_ onTurn: @escaping (CheckHandle) -> Void) throws(UVError) {
        try checkOpen("start")
        try check(unsafe uv_check_start(raw, checkTurned), "start")
        self.onTurn = onTurn
    }

    /// Stops the calls and drops the closure. A stopped handle may be stopped again. Calls `uv_check_stop`.
    public func stop() {
        checkThread()
        guard isOpen else { return }
        unsafe uv_check_stop(raw)
        onTurn = nil
    }

    override func dropClosures() { onTurn = nil }

    fileprivate func turned() { onTurn?(self) }
}

private func checkTurned(_ raw: UnsafeMutablePointer<uv_check_t>?) {
    unsafe callBack(raw, CheckHandle.self) { $0.turned() }
}
