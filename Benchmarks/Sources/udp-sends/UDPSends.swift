import ArgumentParser
import CDatagrams
import Foundation
import Measurement

/// What sending a datagram costs the sender: CPU time of its thread, the system calls included.
@main struct UDPSends: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "udp-sends", abstract: "Measures sending datagrams, one by one and in batches, beside C on libuv.",
        discussion: "Each group of \(cdatagrams_group) goes to one address; the receiver's time does not count.")

    @Option(help: "Times that everything is measured; the medians are shown.") var rounds = 9
    @Option(help: "Groups of one measurement.") var groups = 2_000
    @Option(help: "Bytes of a datagram.") var size = 1_024
    @Flag(help: "A table in Markdown.") var markdown = false
    @Flag(help: "One line of JSON with every round's figure instead of a table.") var json = false

    func validate() throws {
        guard rounds > 0, groups > 0, (1...1_400).contains(size) else {
            throw ValidationError("There is nothing to measure.")
        }
    }

    func run() throws {
        let sink = try Sink(size: size, groups: groups)
        var figures: [Row: [Double]] = [:]
        for round in 0...rounds {
            for row in Row.allCases {
                let nanoseconds = try row.measure(sink)
                // The first round warms up.
                if round > 0 { figures[row, default: []].append(nanoseconds) }
            }
        }
        if json {
            return print(try JSONLine.encode(Row.allCases.map { Measured($0.rawValue, "ns", figures[$0]!) }))
        }
        var table = Table(["what", "CPU ns/datagram", "ratio", "min–max"])
        let baseline = figures[.c]!
        for row in Row.allCases {
            let all = figures[row]!
            let ratios = zip(baseline, all).map { $0 / $1 }
            table.add([
                row.rawValue, decimal(median(all), 0), decimal(median(ratios), 2),
                "\(decimal(ratios.min()!, 2))–\(decimal(ratios.max()!, 2))",
            ])
        }
        print(table.render(markdown: markdown))
    }
}

/// Where the datagrams go.
struct Sink: Sendable {
    let descriptor: CInt
    let port: UInt16
    let size: Int
    let groups: Int

    init(size: Int, groups: Int) throws {
        var port: UInt16 = 0
        descriptor = cdatagrams_sink(&port)
        guard descriptor >= 0 else { throw Lost() }
        (self.port, self.size, self.groups) = (port, size, groups)
    }
}

struct Lost: Error {}
