import BlockingContrast
import Foundation

/// All ways in turns, on work that is slow on this disk: delays of ticks in milliseconds, and how many of a hundred are late.
struct Rounds {
    let text: String

    private struct Row: Encodable {
        let name: String
        var unit = "ms"
        var values: [String: [Double]] = [:]

        mutating func add(_ log: TickLog) {
            let delays = log.delays.map { $0 / .milliseconds(1) }
            let count = Double(max(1, delays.count))
            values["mean", default: []].append(delays.reduce(0, +) / count)
            values["most", default: []].append(delays.max() ?? 0)
            values["late", default: []].append(100 - 100 * Double(log.inTime) / count)
        }
    }

    private struct TooFast: Error, CustomStringConvertible {
        let description = "this disk is too fast to show it: no step takes four ticks"
    }

    init(_ rounds: Int, in directory: String) throws {
        let disk = try SlowDisk(in: directory)
        defer { disk.work.remove() }
        guard disk.isSlow else { throw TooFast() }
        var rows = Way.allCases.map { Row(name: $0.rawValue) }
        for round in 0..<rounds {
            for place in rows.indices {
                let index = (place + round) % rows.count
                rows[index].add(try Way.allCases[index].measure(disk.work))
            }
        }
        text = String(decoding: try JSONEncoder().encode(rows), as: UTF8.self)
    }
}
