import ArgumentParser
import Foundation
import Harness
import Measurement

/// How long a client waits for its echo under each server model, from one connection to many.
@main struct LatencyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "Compares the latency of all server models at few and at many connections.",
        discussion: """
            Each connection sends a message, waits for its echo, and sends the next; in the first column there is a new \
            connection for each message. The article says that processes cost much to make, and that threads with \
            blocking IO may answer sooner than select or epoll as long as there are few connections: the lines below the \
            table say whether they did.
            """)

    @Option(help: "Server models, with commas between them.")
    var models = ServerModel.allCases.map(\.rawValue).joined(separator: ",")
    @Option(help: "Numbers of connections, with commas between them.") var connections = "1,4,16,64,256"
    @Option(help: "Bytes of a message.") var size = 1_024
    @Option(help: "Length of a measured window.") var seconds = 0.15
    @Option(help: "Seconds of load before each window.") var warmup = 0.05
    @OptionGroup var options: BenchOptions

    func run() throws {
        let models = try list(models, ServerModel.init)
        let connections = try list(connections) { Int($0) }
        let bench = options.bench
        print(options.setting + "\n")
        var comparison = LatencyComparison(models: models)
        for count in [nil] + connections {
            let arguments =
                ["--size", "\(size)", "--seconds", "\(seconds)", "--warmup", "\(warmup)"]
                + (count.map { ["--connections", "\($0)"] } ?? ["--visits"])
            let able = models.filter { $0.limit ?? .max >= count ?? 1 }
            let title = count.map { "\($0)" } ?? "new"
            let rounds = try Rounds(options.rounds, of: able.map(\.server), title: title) {
                try bench.run($0, under: "load", arguments, as: LoadResult.self)
            }
            comparison.add(rounds, title)
        }
        print("Latency in µs, p50 / p99, messages of \(size) bytes, by connections with one under way on each")
        print(comparison.table.render(markdown: options.markdown) + "\n")
        print(comparison.verdict)
    }
}
