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

    @OptionGroup var listen: ListenOptions

    @Option(
        help: "Listen on a local socket (Unix domain) at this path instead; one that a dead server left is replaced.")
    var local: String?

    @Option(help: "How many loops share the clients, each on a thread of its own; more than one with --api async only.")
    var loops = 1

    @Flag(help: "Send datagrams back (UDP) instead of what comes on connections.")
    var udp = false

    func validate() throws {
        guard !udp || (loops == 1 && listen.idleTimeout == nil && local == nil) else {
            throw ValidationError(
                "--udp has no connections: no --loops, --idle-timeout or --local.")
        }
        guard (1...1_024).contains(loops) else { throw ValidationError("The number of loops must be 1 to 1,024.") }
        guard loops == 1 || api == .async else { throw ValidationError("--loops needs --api async.") }
        guard loops == 1 || local == nil else { throw ValidationError("A local socket has one loop.") }
    }

    func run() throws {
        Diagnostics.setHandler(Diagnostics.standardError)
        printLine("served \(try serve())")
    }

    private func serve() throws -> any CustomStringConvertible {
        let idleTimeout = listen.idleTimeout
        if let local {
            let address = try LocalAddress(path: local)
            return switch api {
            case .callbacks: try CallbackServer(idleTimeout: idleTimeout).run(at: address)
            case .async: try AsyncServer(idleTimeout: idleTimeout).run(at: address)
            }
        }
        let address = try SocketAddress(host: listen.host, port: listen.port)
        if udp {
            return try api == .async
                ? DatagramServer.runAsync(at: address) : DatagramServer.runWithCallbacks(at: address)
        }
        return switch api {
        case .callbacks: try CallbackServer(idleTimeout: idleTimeout).run(at: address)
        case .async: try AsyncServer(idleTimeout: idleTimeout).run(at: address, loops: loops)
        }
    }
}
