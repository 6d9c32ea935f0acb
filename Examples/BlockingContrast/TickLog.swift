/// How late the ticks are of a timer that should tick every five milliseconds.
public struct TickLog: Sendable {
    public static let interval = Duration.milliseconds(5)

    /// For each tick that was due, how long after that its program could attend to it.
    public private(set) var delays: [Duration] = []
    private let start = ContinuousClock.now

    public init() {}

    /// The time since the log began.
    public var elapsed: Duration { ContinuousClock.now - start }

    /// When the next tick is due, from the start of the log.
    public var nextDue: Duration { Self.interval * (delays.count + 1) }

    /// The program attends to its timer: all ticks that are due by now are answered.
    public mutating func attend() {
        let now = elapsed
        while nextDue <= now { delays.append(now - nextDue) }
    }

    /// A delay that so many of a thousand ticks don't exceed.
    public func percentile(_ perMille: Int) -> Duration {
        let sorted = delays.sorted()
        return sorted.isEmpty ? .zero : sorted[min(sorted.count - 1, sorted.count * perMille / 1_000)]
    }

    /// How many ticks were answered before the next was due.
    public var inTime: Int { delays.count { $0 < Self.interval } }
}
