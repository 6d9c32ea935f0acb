import ExampleSupport

/// The figure in lines of text: letters, or blocks of colour.
struct TerminalFigure {
    let figure: Figure
    let hasColour: Bool
    private let width = 60

    init(_ figure: Figure, hasColour: Bool) {
        self.figure = figure
        self.hasColour = hasColour
    }

    var lines: [String] {
        let header = "".padded(to: 15) + arrivals + "  calls  other work   copied"
        return [header] + figure.recordings.flatMap(rows) + [""] + legend
    }

    private func rows(_ recording: Recording) -> [String] {
        let caller = recording.caller
        let numbers =
            "  " + "\(caller.calls.count)".aligned(to: 5) + "  " + "\(caller.workUnits)".aligned(to: 10) + "   "
            + (recording.helper == nil ? microseconds(caller.time(in: .copying)) : "by the worker")
        var rows = [recording.model.name.padded(to: 15) + bar(caller) + numbers]
        if let helper = recording.helper {
            rows.append(
                "  its worker".padded(to: 15) + bar(helper) + "  " + "\(helper.calls.count)".aligned(to: 5)
                    + "               " + microseconds(helper.time(in: .copying)))
        }
        return rows
    }

    /// One cell for each stretch of time: the phase that fills most of it, but copying, short as it is, always shows.
    private func bar(_ track: Track) -> String {
        let cell = max(1, figure.end / Int64(width))
        return (0..<Int64(width)).map { index in
            let range = index * cell..<(index + 1) * cell
            var times: [Phase: Int64] = [:]
            for segment in track.segments where segment.start < range.upperBound && segment.end > range.lowerBound {
                let part = min(segment.end, range.upperBound) - max(segment.start, range.lowerBound)
                times[segment.phase, default: 0] += part * (segment.phase == .copying ? 1000 : 1)
            }
            // Asking takes next to no time and is still what distinguishes the non-blocking model.
            let asks = track.segments.contains { $0.phase == .asking && range.contains($0.start) }
            guard let phase = times.max(by: { $0.value < $1.value })?.key else { return " " }
            return mark(asks && phase == .free ? .asking : phase)
        }.joined()
    }

    private var arrivals: String {
        var cells = [String](repeating: " ", count: width)
        for arrival in figure.recordings.first?.arrivals ?? [] {
            cells[min(width - 1, Int(arrival * Int64(width) / max(1, figure.end)))] = hasColour ? "▼" : "v"
        }
        return cells.joined()
    }

    private var legend: [String] {
        [
            "\(hasColour ? "▼" : "v") a message of \(figure.setting.messageSize) bytes has arrived in the kernel",
            "\(mark(.blocked)) blocked in the read    \(mark(.waiting)) waiting in select, poll, epoll",
            "\(mark(.asking)) asks in vain, works a little, asks again    \(mark(.copying)) copying    "
                + "\(mark(.free)) free: other work",
            "one column is \(figure.end / Int64(width) / 1000) µs; calls are system calls of the calling thread",
        ]
    }

    private func mark(_ phase: Phase) -> String {
        let (letter, block, colour) =
            switch phase {
            case .blocked: ("B", "█", 167)
            case .waiting: ("w", "▓", 179)
            case .asking: ("?", "▒", 97)
            case .copying: ("C", "█", 31)
            case .free: (".", "░", 71)
            }
        return hasColour ? "\u{1B}[38;5;\(colour)m\(block)\u{1B}[0m" : letter
    }

    private func microseconds(_ nanoseconds: Int64) -> String { "\(nanoseconds / 1000) µs" }
}
