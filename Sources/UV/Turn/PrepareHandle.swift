internal import CLibuv

/// Calls a closure in every turn, right before the loop waits for events.
public final class PrepareHandle: Handle {
    private var onTurn: ((PrepareHandle) -> Void)?
    private var raw: UnsafeMutablePointer<uv_prepare_t> { unsafe memory.assumingMemoryBound(to: uv_prepare_t.self) }

    /// Creates a stopped handle. Calls `uv_prepare_init`.
    public init(on loop: Loop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        unsafe try super.init(on: loop, as: uv_prepare_t.self, "prepare handle creation", file, line) {
            unsafe uv_prepare_init(loop.raw, $0)
        }
    }

    /// Calls the closure once each turn from now on; on a running handle it replaces the closure.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when the handle is closed.
    ///
    /// Calls `uv_prepare_start`.
    public func start(_ onTurn: @escaping (PrepareHandle) -> Void) throws(UVError) {
        try checkOpen("start")
        try check(unsafe uv_prepare_start(raw, prepareTurned), "start")
        self.onTurn = onTurn
    }

    /// Stops the calls and drops the closure. A stopped handle may be stopped again. Calls `uv_prepare_stop`.
    public func stop() {
        checkThread()
        guard isOpen else { return }
        unsafe uv_prepare_stop(raw)
        onTurn = nil
    }

    override func dropClosures() { onTurn = nil }

    fileprivate func turned() { onTurn?(self) }
}

private func prepareTurned(_ raw: UnsafeMutablePointer<uv_prepare_t>?) {
    let clock = unsafe Handle.owner(of: raw).loop.clock
    unsafe callBack(raw, PrepareHandle.self) { $0.turned() }
    clock.update()
}
