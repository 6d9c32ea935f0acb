import ArgumentParser
import ExampleSupport
import UV

@main struct EchoServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-server",
        abstract: "Sends back whatever its clients send.",
        discussion: """
            The first line of output says where it listens. Ctrl-C or SIGTERM ends it: what is on its way is still \
            sent, for a second at most, and the last line says what was served.

            Try it with echo-client, or with nc.
            """)

    /// The layer of the library that serves the clients.
    enum API: String, CaseIterable, ExpressibleByArgument { case callbacks, async }

    @Option(help: "How the server is written.")
    var api = API.callbacks

    @Option(help: "The numeric address to listen on, IPv4 or IPv6.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    var port: UInt16 = 0

    @Option(
        help: "Close connections on which nothing happens for so long, for example 30s. (default: never)",
        transform: duration(from:))
    var idleTimeout: Duration?

    @Option(help: "How many loops share the clients, each on a thread of its own; more than one with --api async only.")
    var loops = 1

    @Flag(help: "Send datagrams back (UDP) instead of what comes on connections.")
    var udp = false

    func validate() throws {
        guard !udp || (loops == 1 && idleTimeout == nil) else {
            throw ValidationError("--udp has no connections: it goes with neither --loops nor --idle-timeout.")
        }
        guard (1...1_024).contains(loops) else { throw ValidationError("The number of loops must be 1 to 1,024.") }
        guard loops == 1 || api == .async else { throw ValidationError("--loops needs --api async.") }
        if let idleTimeout, idleTimeout <= .zero { throw ValidationError("The idle timeout must be longer than 0.") }
    }

    func run() throws {
        let address = try SocketAddress(host: host, port: port)
        guard !udp else {
            let serve = api == .async ? DatagramServer.runAsync : DatagramServer.runWithCallbacks
            return printLine("served \(try serve(address))")
        }
        let tally =
            switch api {
            case .callbacks: try CallbackServer(idleTimeout: idleTimeout).run(at: address)
            case .async: try AsyncServer(idleTimeout: idleTimeout).run(at: address, loops: loops)
            }
        printLine("served \(tally)")
    }
}
