import BlockingContrast
import ExampleSupport

/// A way's ticks as text: a character for each that was due.
struct Timeline {
    private static let width = 100

    let lines: [String]

    init(_ name: String, _ log: TickLog) {
        let ticks = log.delays.map(Self.mark)
        let rows = stride(from: 0, to: ticks.count, by: Self.width).map {
            String(ticks[$0..<min($0 + Self.width, ticks.count)])
        }
        // A long work's middle looks like its end.
        let shown = rows.count <= 6 ? rows : Array(rows.prefix(3)) + ["…"] + Array(rows.suffix(2))
        lines =
            ["\(name): \(log.inTime) of \(count(ticks.count, "tick")) in time (| in time, - late, . later than 50 ms)"]
            + shown.map { "  " + $0 } + [
                "  delay p50 \(log.percentile(500).text), p99 \(log.percentile(990).text), "
                    + "p99.9 \(log.percentile(999).text), worst \(log.percentile(1_000).text)"
            ]
    }

    private static func mark(_ delay: Duration) -> Character {
        if delay < TickLog.interval { return "|" }
        return delay < .milliseconds(50) ? "-" : "."
    }
}
