internal import CReadiness

/// When descriptors have run out, the next connection stays in the backlog and the listener stays "readable": who
/// tried again at once would spin. So nothing is accepted for a moment.
enum AcceptPause {
    static let length: Duration = .milliseconds(100)

    /// Sleeps. It needs no descriptor, of which there are none, so nothing can wake it.
    static func sleep() { _ = readiness_sleep_until(readiness_clock() + 100_000_000) }
}
