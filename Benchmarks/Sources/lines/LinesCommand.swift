import ArgumentParser
import AsyncUV
import Foundation
import Measurement

/// What a line costs whoever reads lines: CPU time of the reader's thread, its system calls included.
@main struct LinesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lines", abstract: "Measures reading lines from a connection and from a file.")

    @Option(help: "Times that everything is measured; the medians are shown.") var rounds = 9
    @Option(help: "Lines of one measurement.") var count = 500_000
    @Option(help: "Bytes of a line, without its end.") var length = 40
    @Option(help: "Measure only this row, for a profiler.") var only: Row?
    @Option(help: "The Python whose asyncio is measured too, or nothing.") var python = "python3"
    @Flag(help: "A table in Markdown.") var markdown = false
    @Flag(help: "One line of JSON with every round's figure instead of a table.") var json = false

    func validate() throws {
        guard rounds > 0, count > 0, length >= 0 else { throw ValidationError("There is nothing to measure.") }
    }

    func run() throws {
        let rows = only.map { [$0] } ?? Row.allCases
        let text = [UInt8](repeating: UInt8(ascii: "x"), count: length) + [UInt8(ascii: "\n")]
        let file = URL(filePath: NSTemporaryDirectory()).appending(path: "lines-\(getpid())")
        if rows.contains(where: \.isOfFile) {
            try Data([[UInt8]](repeating: text, count: count).joined()).write(to: file)
        }
        defer { try? FileManager.default.removeItem(at: file) }
        var figures: [Row: [Double]] = [:]
        for round in 0...rounds {
            for row in rows {
                let nanoseconds = try row.measure(count, text, file.path())
                // The first round warms up: memory from the system, pages, caches.
                if round > 0 || rounds == 1 { figures[row, default: []].append(nanoseconds) }
            }
        }
        let peers =
            only != nil
            ? []
            : Peer.python(python, "lines.py", rounds, count, length)
                + Peer.beside("peers-go", "lines", rounds, count, length)
        if json {
            return print(
                try JSONLine.encode(
                    rows.map { Measured($0.title, "ns", figures[$0]!) }
                        + peers.map { Measured($0.name, "ns", [$0.nanoseconds]) }))
        }
        var table = Table(["what", "ns/line", "min–max"])
        for row in rows {
            let all = figures[row]!
            table.add([row.title, decimal(median(all), 0), "\(decimal(all.min()!, 0))–\(decimal(all.max()!, 0))"])
        }
        for row in peers { table.add([row.name, decimal(row.nanoseconds, 0), ""]) }
        print(table.render(markdown: markdown))
    }
}
