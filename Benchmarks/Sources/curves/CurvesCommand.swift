import ArgumentParser
import Foundation
import Harness
import Measurement

/// What one event costs a server that watches more and more connections on which nothing happens.
@main struct CurvesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "curves",
        abstract: "Measures what one event costs, by the number of idle connections that are watched beside.",
        discussion: """
            One connection echoes a message after the other; the others are open and silent. The cost is the CPU time of \
            the server's process for one message: waiting, reading and writing.
            """)

    @Option(help: "Server models, with commas between them.")
    var models = "select,poll,epoll-level,uv-callbacks,uv-async"
    @Option(help: "Numbers of idle connections, rising, with commas between them.")
    var watched = "10,30,100,300,1000,3000,10000,19000"
    @Option(help: "Seconds of messages at each number.") var seconds = 0.15
    @Option(help: "Draws the curves into this file.") var svg: String?
    @OptionGroup var options: BenchOptions

    /// Descriptors that a server or a client needs for other things than idle connections.
    private static let reserve = 100

    func run() throws {
        let models = try list(models, ServerModel.init)
        let limit = Descriptors.raiseLimit()
        let wanted = try list(watched) { Int($0) }
        let watched = wanted.filter { $0 <= limit - Self.reserve }
        guard !models.isEmpty, let most = watched.last else { throw ValidationError("There is nothing to watch.") }
        let bench = options.bench
        let setting = options.setting
        print(setting)
        print("A process may have \(limit) open descriptors, so \(Self.cut(wanted, to: most)).\n")
        let rounds = try Rounds(options.rounds, of: models.map(\.server), title: "curves") { server in
            let model = models.first { $0.server == server }!
            let numbers = watched.filter { $0 <= model.limit ?? .max }.map(String.init).joined(separator: ",")
            return try bench.run(
                server, under: "one-busy", ["--watched", numbers, "--seconds", "\(seconds)"], as: [WatchResult].self)
        }
        let curves = models.map { Curve(model: $0, rounds: rounds.results[$0.server]!) }
        show(curves, watched)
        if let svg {
            try CurvesFigure(curves, setting: setting).text
                .write(toFile: svg, atomically: true, encoding: .utf8)
            print("\nDrawn into \(svg)")
        }
    }

    private static func cut(_ wanted: [Int], to most: Int) -> String {
        wanted.last == most ? "it does not cut the curves" : "the curves end at \(most) instead of \(wanted.last!)"
    }

    private func show(_ curves: [Curve], _ watched: [Int]) {
        var table = Table(["watched, idle"] + curves.map(\.model.rawValue))
        for number in watched {
            table.add(
                ["\(number)"]
                    + curves.map { curve in
                        curve.points.first { $0.watched == number }.map { decimal($0.microseconds, 1) } ?? "–"
                    })
        }
        print("CPU time of one event in µs")
        print(table.render(markdown: options.markdown) + "\n")
        for curve in curves { print("\(curve.model.rawValue): \(curve.growth)") }
    }
}
