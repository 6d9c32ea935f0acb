import ArgumentParser
import AsyncUV
import ExampleSupport
import Foundation

@main struct ChatServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat-server",
        abstract: "Passes each line of a client on to all others.",
        discussion: """
            The first line of output says where it listens. Ctrl-C or SIGTERM says good bye to the clients and ends it.

            Try it with --port 7001, and two or three terminals: nc 127.0.0.1 7001
            """)

    /// How long clients that do not read may hold up the end.
    private static let grace = Duration.seconds(1)

    @Option(help: "The numeric address to listen on, IPv4 or IPv6.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    var port: UInt16 = 0

    @Option(help: "How many lines may wait for a client; one that lags further is dropped.")
    var backlog = 256

    func validate() throws {
        guard backlog >= 1 else { throw ValidationError("One line at least must be able to wait.") }
    }

    func run() throws {
        Diagnostics.setHandler(Diagnostics.standardError)
        let total = try EventLoop.run { [host, port, backlog] loop in
            let listener = try await TCPListener.bind(host: host, port: port)
            let signals = try await Signals.watch(.interrupt, .terminate)
            let room = Room(on: loop)
            loop.spawn(onError: { TCPListener.report($0, nil) }) {
                try await listener.serve { connection in
                    try await Visit(of: connection, to: room, backlog: backlog).run()
                }
            }
            printLine("listening on \(listener.localAddress)")
            _ = try await signals.next()
            await room.close()
            await loop.shutdown(grace: Self.grace)
            return await room.total
        }
        printLine("served \(total)")
    }
}
