import ArgumentParser
import Harness

/// A load to put all servers under.
struct Scenario {
    let name: String
    let connections: Int
    let size: Int
    let pipeline: Int
    /// Whether the messages of a burst come in one piece, as from clients that pipeline.
    var together = false
    /// Whether each message has a connection of its own, one after the other.
    var visits = false
    /// Whether the messages are datagrams.
    var udp = false
    /// The servers with their arguments, where not every server will do; the first is the baseline.
    var servers: [String]?

    static let all = [
        Scenario(name: "1KiB×50", connections: 50, size: 1024, pipeline: 1),
        Scenario(name: "64KiB×16", connections: 16, size: 65_536, pipeline: 1),
        Scenario(name: "64B×1000", connections: 1000, size: 64, pipeline: 1),
        Scenario(name: "pipelined", connections: 50, size: 64, pipeline: 16),
        Scenario(name: "answers", connections: 50, size: 64, pipeline: 16, servers: answering),
        Scenario(name: "bursts", connections: 50, size: 64, pipeline: 16, together: true, servers: answering),
        Scenario(name: "timeouts", connections: 50, size: 1024, pipeline: 1, servers: timing),
        Scenario(name: "visits", connections: 1, size: 1, pipeline: 1, visits: true),
        Scenario(
            name: "udp", connections: 50, size: 1024, pipeline: 1, udp: true,
            servers: [datagramBaseline, "udp-uv-callbacks", "udp-uv-async", "udp-uv-async --sequence"]),
        Scenario(
            name: "udp-bursts", connections: 6, size: 64, pipeline: 32, udp: true,
            servers: [
                datagramBaseline, "\(datagramBaseline) --batches", "udp-uv-callbacks", "udp-uv-async",
                "udp-uv-callbacks --batches", "udp-uv-async --batches",
            ]),
    ]

    private static let datagramBaseline = "udp-c-libuv"

    private static let timing = [
        Program.baseline, "echo-uv-async", "echo-uv-async --idle-timeout 30", "echo-uv-async --read-timeout 30",
        "echo-nio-async", "echo-go", "echo-go --read-timeout 30", "echo-tokio", "echo-tokio --read-timeout 30",
    ]

    private static let answering = [
        "\(Program.baseline) --split 64", "echo-uv-async --split 64", "echo-uv-async --split 64 --each",
    ]

    var description: String {
        if visits { return "one connection after the other, each with one message of \(size) byte" }
        let messages = pipeline == 1 ? "one message" : "\(pipeline) messages"
        return "\(connections) \(udp ? "UDP sockets" : "connections"), \(messages) of \(size) bytes under way on each"
            + (together ? ", sent by one call" : "")
    }

    /// What a reader of the table must not overlook.
    var note: String? {
        if name == "timeouts" { return "C on libuv and SwiftNIO are without a timeout here." }
        if udp { return nil }
        if servers != nil {
            return "Each message gets an answer of its own. C makes a system call for each, echo-uv-async hands "
                + "those of one read\nto write(contentsOf:), with --each it awaits a write for each."
        }
        return pipeline == 1
            ? nil
            : "The load is the slower side here. A server that comes late finds more messages in one read and pays less "
                + "for each,\nso a ratio near 1 does not say that a server costs as little as C."
    }

    var arguments: [String] {
        ["--connections", "\(connections)", "--size", "\(size)", "--pipeline", "\(pipeline)"]
            + (together ? ["--together"] : []) + (visits ? ["--visits"] : []) + (udp ? ["--udp"] : [])
    }
}

/// What `--scenarios` names. A plain `x` does for the `×`.
enum Choice: ExpressibleByArgument {
    case loaded(Scenario)
    case idle

    static let all = Scenario.all.map(Choice.loaded) + [.idle]
    static let names = Scenario.all.map(\.name) + ["idle"]

    init?(argument: String) {
        let name = String(argument.map { $0 == "x" ? "×" : $0 })
        if name == "idle" {
            self = .idle
        } else if let scenario = Scenario.all.first(where: { $0.name == name }) {
            self = .loaded(scenario)
        } else {
            return nil
        }
    }
}
