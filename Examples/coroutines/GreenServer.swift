import ArgumentParser
import AsyncUV
import Coroutines
import ExampleSupport
import Foundation

/// The article's server: a green task for each connection, all on one thread.
struct GreenServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Sends back whatever its clients send, with a green task for each.",
        discussion: """
            The first line of output says where it listens, the others what it receives. Ctrl-C or SIGTERM ends it: \
            what is on its way is still sent, for a second at most, and the last line says what was served.
            """)

    /// How long clients that do not read may hold up the end.
    private static let grace = Duration.seconds(1)

    @Option(help: "The numeric address to listen on, IPv4 or IPv6.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    var port: UInt16 = 0

    @Flag(help: "Do not print what is received.")
    var quiet = false

    @GreenActor
    func run() async throws {
        let signals = try await Signals.watch(.interrupt, .terminate)
        let listener = try await TCPListener.bind(to: SocketAddress(host: host, port: port), backlog: 500)
        let visitors = Visitors(printing: !quiet)
        let accepting = Green.spawn {
            while let connection = try await Self.accept(from: listener) { visitors.spawn(connection) }
        }
        printLine("listening on \(listener.localAddress)")
        _ = try await signals.next()
        await listener.close()
        accepting.kill()
        _ = try await accepting.join()
        try await visitors.end(within: Self.grace)
        printLine("served \(count(visitors.connections, "connection")), \(count(visitors.bytes, "byte"))")
    }

    /// Out of descriptors, say: the listener waits a little and goes on by itself.
    @GreenActor
    private static func accept(from listener: TCPListener) async throws -> TCPConnection? {
        while true {
            do { return try await listener.accept() } catch let error as UVError {
                printProblem("cannot accept, trying again: \(error)")
            }
        }
    }
}

/// The connections of the server, and what was served. No lock: all of it is the green tasks' own.
@GreenActor
private final class Visitors {
    private(set) var connections = 0
    private(set) var bytes = 0
    private var present: [Int: GreenTask<Void>] = [:]
    private let isPrinting: Bool

    nonisolated init(printing isPrinting: Bool) { self.isPrinting = isPrinting }

    func spawn(_ connection: TCPConnection) {
        connections += 1
        let number = connections
        present[number] = Green.spawn { [self] in
            do { try await echo(connection) } catch { printProblem("a client: \(error)") }
            await connection.close()
            present[number] = nil
        }
    }

    private func echo(_ connection: TCPConnection) async throws {
        do {
            while let chunk = try await connection.read() {
                bytes += chunk.count
                if isPrinting { printLine("recv: \(beginning(of: chunk))") }
                try await connection.write(chunk)
            }
        } catch is CancellationError {
            // The server ends. What a cancelled write has not sent is still queued.
            try await Green.spawn { try await connection.finishWriting() }.value
        } catch let error as UVError where error.code == .connectionReset || error.code == .brokenPipe {}
    }

    /// As much as is read at a glance, on one line.
    private func beginning(of chunk: [UInt8]) -> String {
        let text = String(decoding: chunk.prefix(60), as: UTF8.self).debugDescription
        return chunk.count > 60 ? "\(text)… \(count(chunk.count, "byte"))" : text
    }

    /// Tells all that are left to end, and waits no longer than that.
    func end(within grace: Duration) async throws {
        let tasks = Array(present.values)
        for task in tasks { task.kill() }
        try await Green.joinAll(tasks, timeout: grace)
    }
}
