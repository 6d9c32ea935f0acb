import Foundation

/// The figure as an SVG: one lane for each model, time from left to right.
struct SVGFigure {
    private let figure: Figure
    private let lane = (left: 262.0, width: 570.0, height: 30.0)
    private let top = 176.0
    private let rowHeight = 84.0

    init(_ figure: Figure) { self.figure = figure }

    var text: String {
        let rows = figure.recordings.enumerated().flatMap { row($1, top: top + Double($0) * rowHeight) }
        let bottom = top + Double(figure.recordings.count) * rowHeight
        let size = (width: 1280.0, height: bottom + 92)
        let head = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(size.width)) \(number(size.height))\" "
                + "width=\"\(number(size.width))\" height=\"\(number(size.height))\" "
                + "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">",
            rectangle(0, 0, size.width, size.height, "#ffffff"),
            label(40, 48, "Who waits, and who copies? Seven ways to read, measured", size: 26, weight: "bold"),
            label(
                40, 76,
                "A slow sender delivers \(figure.setting.messages) messages of \(figure.setting.messageSize / 1024) KiB, "
                    + "each after \(figure.setting.interval / 1_000_000) ms. What does the thread do that wants them?",
                size: 15, colour: "#555555"),
        ]
        return (head + legend(y: 108) + columnTitles + rows + axis(y: bottom) + ["</svg>"]).joined(separator: "\n")
            + "\n"
    }

    // MARK: Rows

    private func row(_ recording: Recording, top: Double) -> [String] {
        let caller = recording.caller
        var parts = [
            rectangle(24, top - 14, 1232, rowHeight - 8, "#f7f7f9", radius: 8),
            label(40, top + 14, recording.model.name, size: 18, weight: "bold"),
        ]
        for (index, line) in recording.model.summary.enumerated() {
            parts.append(label(40, top + 33 + Double(index) * 15, line, size: 12, colour: "#666666"))
        }
        parts += track(caller, top: top, height: lane.height)
        parts += ticks(caller.calls, top: top + lane.height + 2)
        if let helper = recording.helper {
            parts += track(helper, top: top + lane.height + 14, height: 9, skips: .free)
            parts.append(
                label(
                    lane.left + lane.width + 8, top + lane.height + 22.5, "its worker", size: 11, colour: "#666666")
            )
        }
        parts += recording.arrivals.map { arrival(at: $0, top: top, bottom: top + lane.height) }
        let copying = (recording.helper ?? caller).time(in: .copying) / 1000
        let facts = [
            (905, Self.word(recording.untilArrival)), (1000, "\(caller.calls.count)"), (1070, "\(caller.workUnits)"),
            (1172, "\(recording.callerCopies ? "caller" : "worker"), \(copying) µs"),
        ]
        for (x, text) in facts { parts.append(label(Double(x), top + 21, text, size: 16, anchor: "middle")) }
        return parts
    }

    private func track(_ track: Track, top: Double, height: Double, skips: Phase? = nil) -> [String] {
        // Copying last and wide enough to be seen.
        let segments = track.segments.filter { $0.phase != .asking && $0.phase != skips }
        let ordered = segments.filter { $0.phase != .copying } + segments.filter { $0.phase == .copying }
        return [rectangle(lane.left, top, lane.width, height, "#ffffff")]
            + ordered.map { segment in
                let width = Double(segment.length) / Double(figure.end) * lane.width
                let least = segment.phase == .copying ? 4.0 : 0.3
                return rectangle(x(segment.start), top, max(least, width), height, colour(segment.phase))
            }
    }

    /// A mark below the lane for each system call; no two in the same place.
    private func ticks(_ calls: [Int64], top: Double) -> [String] {
        var last = -Double.infinity
        return calls.compactMap { call in
            guard x(call) - last >= 1.5 else { return nil }
            last = x(call)
            return rectangle(last, top, 1, 7, "#333333")
        }
    }

    private func arrival(at time: Int64, top: Double, bottom: Double) -> String {
        let x = x(time)
        return "<path d=\"M\(number(x - 5)) \(number(top - 10)) h10 l-5 8 z\" fill=\"#111111\"/>"
            + "<line x1=\"\(number(x))\" y1=\"\(number(top - 4))\" x2=\"\(number(x))\" y2=\"\(number(bottom))\" "
            + "stroke=\"#111111\" stroke-width=\"1\" stroke-dasharray=\"2 2\"/>"
    }

    // MARK: Frame

    private var columnTitles: [String] {
        let titles = [
            (905, "until data", "is there"), (1000, "system", "calls"), (1070, "other", "work"),
            (1172, "who copies,", "how long"),
        ]
        return titles.flatMap { x, first, second in
            [
                label(Double(x), 130, first, size: 13, weight: "bold", anchor: "middle"),
                label(Double(x), 147, second, size: 13, weight: "bold", anchor: "middle"),
            ]
        }
    }

    private func legend(y: Double) -> [String] {
        let items: [(Phase, String, Double)] = [
            (.blocked, "blocked in the read", 40), (.waiting, "waiting in select, poll, epoll", 215),
            (.copying, "copying", 450), (.free, "free: does other work", 550),
        ]
        let boxes = items.flatMap { phase, text, x in
            [rectangle(x, y - 11, 22, 14, colour(phase), radius: 2), label(x + 30, y, text, size: 13)]
        }
        return boxes + [
            "<path d=\"M46 \(number(y + 14)) h10 l-5 8 z\" fill=\"#111111\"/>",
            label(70, y + 23, "a message is in the kernel", size: 13),
            rectangle(291, y + 14, 1, 9, "#333333"), label(305, y + 23, "a system call of the caller", size: 13),
        ]
    }

    private func axis(y: Double) -> [String] {
        let step = Self.step(for: figure.end)
        let marks = stride(from: 0, through: figure.end, by: Int64.Stride(step)).flatMap { time in
            [
                rectangle(x(time), y - 8, 1, 6, "#888888"),
                label(x(time), y + 12, "\(time / 1_000_000) ms", size: 12, colour: "#555555", anchor: "middle"),
            ]
        }
        return [rectangle(lane.left, y - 8, lane.width, 1, "#888888")] + marks + [
            label(
                40, y + 46,
                "Measured, not drawn\(figure.setting.tries > 1 ? " (the least disturbed of \(figure.setting.tries) tries)" : ""): "
                    + "the CPU time of a call tells copying from sleep. Copying is drawn at least 4 pixels wide.",
                size: 13, colour: "#555555"),
            label(
                40, y + 66,
                "One unit of other work computes for about \(figure.setting.interval / 50_000) µs. "
                    + "Asynchronous: a plain worker thread reads, told and telling through eventfds.",
                size: 13, colour: "#555555"),
        ]
    }

    /// A round number of milliseconds, for five to ten marks.
    private static func step(for end: Int64) -> Int64 {
        [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].map { $0 * 1_000_000 }.first { end / $0 <= 10 }
            ?? 10_000_000_000
    }

    private static func word(_ phase: Phase) -> String {
        switch phase {
        case .blocked: "blocked"
        case .waiting: "waits"
        case .asking: "asks"
        case .copying: "copies"
        case .free: "free"
        }
    }

    // MARK: Elements

    private func x(_ time: Int64) -> Double { lane.left + Double(time) / Double(max(1, figure.end)) * lane.width }

    private func colour(_ phase: Phase) -> String {
        switch phase {
        case .blocked: "#d1495b"
        case .waiting: "#edae49"
        case .asking: "#8d6cab"
        case .copying: "#1d5b8f"
        case .free: "#b9dfb4"
        }
    }

    private func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ fill: String, radius: Double = 0
    ) -> String {
        "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(height))\" "
            + "\(radius > 0 ? "rx=\"\(number(radius))\" " : "")fill=\"\(fill)\"/>"
    }

    private func label(
        _ x: Double, _ y: Double, _ text: String, size: Double, weight: String = "normal",
        colour: String = "#111111", anchor: String = "start"
    ) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(number(size))\" font-weight=\"\(weight)\" "
            + "fill=\"\(colour)\" text-anchor=\"\(anchor)\">\(text)</text>"
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
