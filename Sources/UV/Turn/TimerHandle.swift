internal import CLibuv

/// Calls a closure after a delay, once or repeatedly.
public final class TimerHandle: Handle {
    private var onFire: ((TimerHandle) -> Void)?
    /// When the next call is due, in milliseconds of the loop's clock.
    private var due: UInt64 = 0
    private var raw: UnsafeMutablePointer<uv_timer_t> { unsafe memory.assumingMemoryBound(to: uv_timer_t.self) }

    /// Creates a stopped timer. Calls `uv_timer_init`.
    public init(on loop: Loop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        unsafe try super.init(on: loop, as: uv_timer_t.self, "timer creation", file, line) {
            unsafe uv_timer_init(loop.raw, $0)
        }
    }

    /// Starts the timer, or restarts a running one with new times.
    ///
    /// Times count from now and are rounded up to whole milliseconds. One more is added, because the loop's clock ticks in
    /// milliseconds as well: so a timer is never early. A zero delay is due in the next turn of the loop; a timer that starts
    /// itself again with zero does not keep others waiting. Repeated calls keep their rhythm: each is due a multiple of the
    /// interval after the first, however late the others were. Missed calls are left out. The closure replaces the previous one.
    ///
    /// - Parameter interval: Time between later calls; `nil` fires once.
    /// - Throws: ``UVError`` with `.invalidArgument` for a negative delay, an interval that is not positive, and more
    ///   than 146 million years; `.badFileDescriptor` when the handle is closed.
    ///
    /// Calls `uv_timer_start`.
    public func start(
        after delay: Duration, every interval: Duration? = nil, _ onFire: @escaping (TimerHandle) -> Void
    ) throws(UVError) {
        try checkOpen("start")
        let delay = try milliseconds(delay, "start")
        let interval = try intervalMilliseconds(interval, "start")
        try begin(after: delay, every: interval)
        self.onFire = onFire
    }

    /// Starts the timer once, at a time of the clock of `Loop.hrtime`, in whole milliseconds. Never early: the loop's clock is the
    /// same one, rounded down.
    package func start(atMillisecond time: UInt64, _ onFire: @escaping (TimerHandle) -> Void) throws(UVError) {
        try checkOpen("start")
        due = time
        try arm(after: time - min(time, loop.clock.time), every: 0)
        self.onFire = onFire
    }

    /// Starts a repeating timer again, its next call one interval from now. Without an interval it does nothing.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` when the timer was never started.
    ///
    /// Calls `uv_timer_again`.
    public func restart() throws(UVError) {
        try checkOpen("restart")
        try check(unsafe uv_timer_again(raw), "restart", of: "a timer that was never started")
        let interval = unsafe uv_timer_get_repeat(raw)
        // libuv counts from its own clock, which may be behind: that would be early.
        if interval > 0 { try begin(after: interval, every: interval) }
    }

    /// Stops the timer; its closure is kept for ``restart()``. A stopped timer may be stopped again.
    ///
    /// Calls `uv_timer_stop`.
    public func stop() {
        checkThread()
        if isOpen { unsafe uv_timer_stop(raw) }
    }

    /// The time between calls, in whole milliseconds; `nil` for a timer that fires once. Calls `uv_timer_get_repeat`.
    public var interval: Duration? {
        checkThread()
        let milliseconds = unsafe uv_timer_get_repeat(raw)
        return milliseconds == 0 ? nil : .milliseconds(milliseconds)
    }

    /// Changes the time between calls, from the next call on; `nil` makes it the last.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for an interval that is not positive.
    ///
    /// Calls `uv_timer_set_repeat`.
    public func setInterval(_ interval: Duration?) throws(UVError) {
        try checkOpen("setInterval")
        unsafe uv_timer_set_repeat(raw, try intervalMilliseconds(interval, "setInterval"))
    }

    /// How long until the next call by the loop's clock; zero when it is due or the timer is stopped.
    ///
    /// Calls `uv_timer_get_due_in`.
    public var timeLeft: Duration {
        checkThread()
        return isActive ? unsafe .milliseconds(uv_timer_get_due_in(raw)) : .zero
    }

    private func begin(after delay: UInt64, every interval: UInt64) throws(UVError) {
        // Counted from the present without moving the loop's clock: see TurnClock.
        due = TurnClock.present + delay + 1
        try arm(after: delay == 0 ? 0 : due - loop.clock.time, every: interval)
    }

    private func arm(after delay: UInt64, every interval: UInt64) throws(UVError) {
        let least: UInt64 = loop.clock.isRunningTimers ? 1 : 0
        try check(unsafe uv_timer_start(raw, timerFired, max(delay, least), interval), "start", of: "a timer")
    }

    private func milliseconds(_ duration: Duration, _ operation: StaticString) throws(UVError) -> UInt64 {
        guard let milliseconds = duration.wholeMilliseconds else {
            throw UVError(.invalidArgument, in: operation.description, of: "a timer with \(duration)")
        }
        return milliseconds
    }

    private func intervalMilliseconds(
        _ interval: Duration?, _ operation: StaticString
    ) throws(UVError) -> UInt64 {
        guard let interval else { return 0 }
        let milliseconds = try milliseconds(interval, operation)
        guard milliseconds > 0 else {
            throw UVError(.invalidArgument, in: operation.description, of: "a timer with an interval of zero")
        }
        return milliseconds
    }

    override func dropClosures() { onFire = nil }

    fileprivate func fired() {
        let interval = unsafe uv_timer_get_repeat(raw)
        if interval > 0 { keepRhythm(interval) }
        onFire?(self)
    }

    /// libuv would count the interval from the call, which is always a little late, and the delays would add up.
    private func keepRhythm(_ interval: UInt64) {
        let late = TurnClock.present.subtractingReportingOverflow(due)
        let missed = late.overflow ? 0 : late.partialValue / interval
        due += (missed + 1) * interval
        try? arm(after: due - loop.clock.time, every: interval)
    }
}

private func timerFired(_ raw: UnsafeMutablePointer<uv_timer_t>?) {
    unsafe Handle.owner(of: raw).loop.clock.timerFires {
        unsafe callBack(raw, TimerHandle.self) { $0.fired() }
    }
}
