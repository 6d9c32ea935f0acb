import ArgumentParser
import AsyncUV
import ExampleSupport
import Foundation

@main struct TCPProxy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tcp-proxy",
        abstract: "Passes connections on to another server.",
        discussion: """
            The first line of output says where it listens. Ctrl-C or SIGTERM ends it, and the last line says what went \
            through.

            Try it: tcp-proxy 8000 example.com 80
            """)

    @Argument(help: "The port to listen on; 0 takes a free one.")
    var listenPort: UInt16

    @Argument(help: "The server's name or numeric address.")
    var host: String

    @Argument(help: "The server's port.")
    var port: UInt16

    @Option(help: "The numeric address to listen on, IPv4 or IPv6.")
    var bind = "127.0.0.1"

    @Option(
        help: "How long to wait for the server, for example 500ms. (default: 5s)",
        transform: duration(from:))
    var connectTimeout: Duration = .seconds(5)

    func run() throws {
        Diagnostics.setHandler(Diagnostics.standardError)
        let relay = Relay(host: host, port: port, connectTimeout: connectTimeout)
        try EventLoop.run { [bind, listenPort] loop in
            let listener = try await TCPListener.bind(host: bind, port: listenPort)
            let signals = try await Signals.watch(.interrupt, .terminate)
            let serving = loop.spawn {
                try await listener.serve(onError: relay.report) { client in try await relay.serve(client) }
            }
            printLine("listening on \(listener.localAddress)")
            _ = try await signals.next()
            // Ends every conversation: each waits in a read or a write, which throws.
            serving.cancel()
            _ = await serving.result
        }
        printLine("relayed \(relay.total)")
    }
}
