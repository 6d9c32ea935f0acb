internal import UV

/// Measures how long each turn of a loop is busy: the time between two waits for events, without the waits. On the loop's thread only.
final class LagMeter {
    private let gauges: LoopGauges
    private var end: Duration?
    private var idleTime = Duration.zero
    /// Since when a foreign loop has the thread of a driven one.
    private var left: Duration?
    /// How long it has had it in this turn.
    private var away = Duration.zero

    init(_ gauges: LoopGauges) { self.gauges = gauges }

    /// Called before each wait.
    ///
    /// - Parameter idleTime: How long the loop has waited so far.
    func turnEnds(after idleTime: Duration) {
        let now = Loop.hrtime
        // The first turn has begun before the measurement.
        if let end {
            let idle = idleTime - self.idleTime + away
            gauges.turnEnded(busy: max(.zero, now - end - idle), idle: idle)
        }
        end = now
        away = .zero
        self.idleTime = idleTime
    }

    /// A foreign loop goes on: what it does is no turn of the loop that it drives.
    func leaves() { if end != nil { left = Loop.hrtime } }

    func comesBack() {
        if let left { away += Loop.hrtime - left }
        left = nil
    }
}
