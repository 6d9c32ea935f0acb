internal import CLibuv

/// Wakes the loop from other threads and calls a closure on it.
public final class WakeupHandle: Handle {
    /// The one object of this layer that may go to other threads.
    public let waker: Waker
    private var onWake: ((WakeupHandle) -> Void)?

    /// Creates a handle that calls the closure, on the loop, after each wake-up.
    ///
    /// Several wake-ups during one turn are one call; there is always a call after the last of them.
    ///
    /// Calls `uv_async_init`.
    public init(
        on loop: Loop, file: StaticString = #fileID, line: UInt = #line, _ onWake: @escaping (WakeupHandle) -> Void
    ) throws(UVError) {
        waker = Waker()
        self.onWake = onWake
        unsafe try super.init(on: loop, as: uv_async_t.self, "wake-up handle creation", file, line) {
            unsafe uv_async_init(loop.raw, $0, wokenUp)
        }
        unsafe waker.open(memory.assumingMemoryBound(to: uv_async_t.self))
    }

    override func willClose() { waker.close() }

    override func dropClosures() { onWake = nil }

    fileprivate func woken() { onWake?(self) }
}

private func wokenUp(_ raw: UnsafeMutablePointer<uv_async_t>?) {
    unsafe callBack(raw, WakeupHandle.self) { $0.woken() }
}
