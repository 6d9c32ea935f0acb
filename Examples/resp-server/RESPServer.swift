import ArgumentParser
import AsyncUV
import ExampleRESP
import ExampleSupport

@main struct RESPServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resp-server",
        abstract: "Keeps values in memory for clients that speak Redis's protocol.",
        discussion: """
            It knows PING, GET, SET and DEL. Commands may be pipelined: the answers to all that came together leave \
            together.

            The first line of output says where it listens. Ctrl-C or SIGTERM ends it, and the last line says what was \
            served.

            Try it: resp-server --port 6380, then redis-cli -p 6380, or redis-benchmark -p 6380 -t get,set -P 16.
            """)

    @OptionGroup var listen: ListenOptions

    func run() throws {
        Diagnostics.setHandler(Diagnostics.standardError)
        let address = try SocketAddress(host: listen.host, port: listen.port)
        let (server, idleTimeout) = (Server(), listen.idleTimeout)
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(to: address)
            let signals = try await Signals.watch(.interrupt, .terminate)
            loop.spawn(onError: { TCPListener.report($0, nil) }) {
                try await listener.serve(idleTimeout: idleTimeout) { try await server.converse(with: $0) }
            }
            printLine("listening on \(listener.localAddress)")
            _ = try await signals.next()
            await loop.shutdown(grace: .seconds(1))
        }
        printLine("served \(count(server.commands, "command"))")
    }
}
