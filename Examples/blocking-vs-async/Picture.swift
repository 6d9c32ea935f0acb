import BlockingContrast
import ExampleSupport

/// The delays of all ways as an SVG: time from left to right, a tick's delay upwards.
struct Picture {
    let title: String
    let logs: [(Way, TickLog)]

    private let left = 70.0
    private let width = 1_080.0
    private let height = 130.0
    private let rowHeight = 205.0

    var text: String {
        let ends = logs.map { Double($0.1.delays.count) * (TickLog.interval / .milliseconds(1)) }
        let most = logs.map { $0.1.percentile(1_000) / .milliseconds(1) }.max() ?? 1
        let end = max(ends.max() ?? 1, 1)
        let bottom = 90 + rowHeight * Double(logs.count)
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1200 \(number(bottom + 10))\" "
                + "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">",
            "<rect width=\"1200\" height=\"\(number(bottom + 10))\" fill=\"#ffffff\"/>",
            label(30, 40, title, size: 24, weight: "bold"),
            label(
                30, 64,
                "Each line is a tick that was due, every \(TickLog.interval.text): green in time, red late; "
                    + "its height is its delay.", size: 14),
        ]
        for (index, (way, log)) in logs.enumerated() {
            parts += row(way, log, top: 90 + rowHeight * Double(index), end: end, most: max(most, 1))
        }
        return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func row(_ way: Way, _ log: TickLog, top: Double, end: Double, most: Double) -> [String] {
        let base = top + 30 + height
        let facts =
            "\(log.inTime) of \(log.delays.count) ticks in time; delay p50 \(log.percentile(500).text), "
            + "p99 \(log.percentile(990).text), worst \(log.percentile(1_000).text)"
        var parts = [
            label(30, top + 16, way.rawValue, size: 17, weight: "bold"), label(320, top + 16, facts, size: 14),
            "<line x1=\"\(number(left))\" y1=\"\(number(base))\" x2=\"\(number(left + width))\" y2=\"\(number(base))\" "
                + "stroke=\"#888888\"/>",
            label(left - 8, top + 42, "\(Int(most.rounded())) ms", size: 12, anchor: "end"),
            label(left - 8, base + 4, "0", size: 12, anchor: "end"),
            label(left + width, base + 18, "\(Int(end.rounded())) ms", size: 12, anchor: "end"),
        ]
        for (index, delay) in log.delays.enumerated() {
            let milliseconds = delay / .milliseconds(1)
            let x = left + Double(index + 1) * (TickLog.interval / .milliseconds(1)) / end * width
            let tall = max(3, milliseconds / most * height)
            parts.append(
                "<line x1=\"\(number(x))\" y1=\"\(number(base))\" x2=\"\(number(x))\" y2=\"\(number(base - tall))\" "
                    + "stroke=\"\(delay < TickLog.interval ? "#2e9e4f" : "#d13b3b")\"/>")
        }
        return parts
    }

    private func label(
        _ x: Double, _ y: Double, _ text: String, size: Int, weight: String = "normal", anchor: String = "start"
    ) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(size)\" font-weight=\"\(weight)\" "
            + "text-anchor=\"\(anchor)\" fill=\"#222222\">\(text)</text>"
    }

    private func number(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
