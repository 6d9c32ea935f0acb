internal import CLibuv
internal import Synchronization

/// Wakes a loop from any thread. Harmless after the loop is gone.
public final class Waker: Sendable {
    // libuv aborts the process when a closed loop is woken. Bit 0: closed. The rest: twice the number of threads that
    // are inside `uv_async_send`, for which close waits.
    private let state = Atomic<Int>(1)
    private let raw = Atomic<UInt>(0)

    init() {}

    func open(_ raw: UnsafeMutablePointer<uv_async_t>) {
        self.raw.store(UInt(bitPattern: raw), ordering: .relaxed)
        state.store(0, ordering: .releasing)
    }

    func close() {
        state.bitwiseOr(1, ordering: .acquiringAndReleasing)
        // Others are in a system call that does not block.
        while state.load(ordering: .acquiring) != 1 { sched_yield() }
    }

    /// Wakes the loop.
    ///
    /// - Returns: False when the handle is closed: nothing has happened and nothing will.
    ///
    /// Calls `uv_async_send`.
    @discardableResult
    public func wake() -> Bool {
        let before = state.add(2, ordering: .acquiringAndReleasing).oldValue
        defer { state.subtract(2, ordering: .acquiringAndReleasing) }
        guard before & 1 == 0 else { return false }
        unsafe uv_async_send(UnsafeMutablePointer(bitPattern: raw.load(ordering: .relaxed)))
        return true
    }
}
