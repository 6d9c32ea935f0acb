internal import CLibuv

/// Keeps a loop's clock, which stands still while closures run, from making timers late.
///
/// libuv takes the time that it waits for events from this clock. After closures of the turn have worked for 300 ms a timer
/// that is due in 100 ms would be 300 ms late. So the clock is brought up to date after those closures and before the wait.
/// Not between two timers: timers with slow closures that start themselves again would keep each other due, and the loop
/// would never leave them.
@safe
final class TurnClock {
    private let loop: UnsafeMutablePointer<uv_loop_t>
    /// Runs between the timers and the wait, in turns in which a timer has fired.
    private let beforeWait = UnsafeMutablePointer<uv_prepare_t>.allocate(capacity: 1)
    /// libuv 1.44.2 never leaves its timer phase while a timer starts itself again with a time that is already due.
    private(set) var isRunningTimers = false

    init(_ loop: UnsafeMutablePointer<uv_loop_t>) {
        unsafe self.loop = loop
        unsafe uv_prepare_init(loop, beforeWait)
        unsafe uv_unref(UnsafeMutableRawPointer(beforeWait).assumingMemoryBound(to: uv_handle_t.self))
        unsafe clibuv_hide(beforeWait)
        unsafe beforeWait.pointee.data = nil
    }

    deinit { if ownsMemory { unsafe beforeWait.deallocate() } }

    private var ownsMemory = true

    /// Takes the clock off a loop that goes on without it, in its next turn.
    func leave() {
        ownsMemory = false
        unsafe uv_close(UnsafeMutableRawPointer(beforeWait).assumingMemoryBound(to: uv_handle_t.self)) { raw in
            unsafe raw?.deallocate()
        }
    }

    /// Leaves the memory to a loop that may exist no more, and may go on as well.
    func abandon() { ownsMemory = false }

    /// Milliseconds of the loop's clock.
    var time: UInt64 { unsafe uv_now(loop) }

    /// The present in the same milliseconds, rounded down.
    static var present: UInt64 { uv_hrtime() / 1_000_000 }

    /// To be called around a timer's closure and everything that runs after it.
    @inline(__always)
    func timerFires(_ body: () -> Void) {
        isRunningTimers = true
        body()
        isRunningTimers = false
        unsafe uv_prepare_start(beforeWait, updateBeforeWait)
    }

    /// To be called after closures that run before libuv waits in the same turn, except those of timers.
    func update() { unsafe uv_update_time(loop) }
}

private func updateBeforeWait(_ raw: UnsafeMutablePointer<uv_prepare_t>?) {
    unsafe uv_prepare_stop(raw)
    unsafe uv_update_time(raw.unsafelyUnwrapped.pointee.loop)
}
