import ArgumentParser
import CLoad
import Measurement

/// Opens many connections at once and looks at what they cost the server in memory.
@main struct Idle: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measures a server's memory for idle connections.")

    @Argument(help: "The server's IPv4 address.") var host: String
    @Argument(help: "The server's port.") var port: UInt16
    @Option(help: "Connections to open.") var connections = 5_000
    @Option(help: "The server's process.") var pid: Int32
    @Flag(help: "One line of JSON instead of text.") var json = false

    /// Opened before the baseline: what a server sets up for its first connections is no cost of the later ones.
    private static let early = 50
    /// One connection of so many exchanges a byte. The backlog is a queue, so an answer says that those before it were
    /// accepted too; and a group fits into the backlog.
    private static let group = 200

    func run() throws {
        try open(Self.early)
        let baseline = try privateMemory(of: pid)
        let descriptors = try open(connections)
        let silent = try privateMemory(of: pid)
        for descriptor in descriptors { try exchange(1024, on: descriptor) }
        let used = try privateMemory(of: pid)

        func each(_ bytes: Int) -> Double { Double(bytes - baseline) / Double(connections) }
        let result = IdleResult(
            connections: connections, baseline: baseline, silentBytes: each(silent), usedBytes: each(used))
        print(
            json
                ? try JSONLine.encode(result)
                : "bytes a connection: \(result.silentBytes) silent, \(result.usedBytes) after one message")
    }

    @discardableResult
    private func open(_ count: Int) throws -> [CInt] {
        try (1...count).map { number in
            let descriptor = load_connect(host, port)
            guard descriptor >= 0 else { throw IdleFailure(description: "cannot connect (number \(number))") }
            if number % Self.group == 0 || number == count { try exchange(1, on: descriptor) }
            return descriptor
        }
    }

    private func exchange(_ size: Int, on descriptor: CInt) throws {
        guard load_exchange(descriptor, size) == 0 else { throw IdleFailure(description: "an echo went wrong") }
    }
}

struct IdleFailure: Error, CustomStringConvertible {
    let description: String
}
