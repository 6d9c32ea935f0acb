internal import CLibuv

/// The loop's clock, the system's, and the time spent waiting.
extension Loop {
    /// The loop's clock in whole milliseconds, from an arbitrary start. It stands still while closures run. Calls `uv_now`.
    public var now: Duration {
        checkThread("Loop")
        return unsafe .milliseconds(uv_now(raw))
    }

    /// Moves ``now`` to the present, for code that ran long. Calls `uv_update_time`.
    public func updateTime() {
        checkThread("Loop")
        unsafe uv_update_time(raw)
    }

    /// The system's monotonic clock, with nanoseconds, from an arbitrary start. Any thread. Calls `uv_hrtime`.
    public static var hrtime: Duration { .nanoseconds(uv_hrtime()) }

    /// The time spent waiting for events since ``Option/metricsIdleTime`` was set, else zero.
    ///
    /// Calls `uv_metrics_idle_time`.
    public var idleTime: Duration {
        checkThread("Loop")
        return unsafe isUsable ? .nanoseconds(uv_metrics_idle_time(raw)) : .zero
    }
}
