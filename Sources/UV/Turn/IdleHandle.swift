internal import CLibuv

/// Calls a closure in every turn and keeps the loop from waiting: the loop spins while it is active.
public final class IdleHandle: Handle {
    private var onTurn: ((IdleHandle) -> Void)?
    private var raw: UnsafeMutablePointer<uv_idle_t> { unsafe memory.assumingMemoryBound(to: uv_idle_t.self) }

    /// Creates a stopped handle. Calls `uv_idle_init`.
    public init(on loop: Loop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        unsafe try super.init(on: loop, as: uv_idle_t.self, "idle handle creation", file, line) {
            unsafe uv_idle_init(loop.raw, $0)
        }
    }

    /// Calls the closure once each turn from now on; on a running handle it replaces the closure.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when the handle is closed.
    ///
    /// Calls `uv_idle_start`.
    public func start(_ onTurn: @escaping (IdleHandle) -> Void) throws(UVError) {
        try checkOpen("start")
        try check(unsafe uv_idle_start(raw, idleTurned), "start")
        self.onTurn = onTurn
    }

    /// Stops the calls and drops the closure. A stopped handle may be stopped again. Calls `uv_idle_stop`.
    public func stop() {
        checkThread()
        guard isOpen else { return }
        unsafe uv_idle_stop(raw)
        onTurn = nil
    }

    override func dropClosures() { onTurn = nil }

    fileprivate func turned() { onTurn?(self) }
}

private func idleTurned(_ raw: UnsafeMutablePointer<uv_idle_t>?) {
    let clock = unsafe Handle.owner(of: raw).loop.clock
    unsafe callBack(raw, IdleHandle.self) { $0.turned() }
    clock.update()
}
