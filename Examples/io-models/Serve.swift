import ExampleSupport
import ArgumentParser
import Readiness
import ServerModels

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Echoes what clients send, in the model of your choice.",
        discussion: """
            The first line says where it listens. SIGTERM and Ctrl-C end it: all connections are closed, threads and \
            children have ended, and the exit status is 0.

            Try it: io-models serve --model thread --port 7000, then nc 127.0.0.1 7000 in several terminals. Under \
            --model blocking the second one waits until the first has left. Look at the system calls with \
            strace -f -c -p PID, and at the idle CPU of --model nonblocking with top.
            """)

    @Option(help: "How to serve.")
    var model: ServeModel

    @Option(help: "A numeric address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes any free one.")
    var port: UInt16 = 0

    @Option(help: "The most threads or child processes at once; further clients wait.")
    var limit = 512

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("The limit must be between 1 and 10,000.") }
    }

    func run() throws {
        let stop = Stop()
        try Termination.onRequest { stop.request() }
        let listener = try Socket.listening(on: Endpoint(host: host, port: port))
        printLine("listening on \(listener.localEndpoint!)")
        var options = ServerOptions()
        options.limit = limit
        options.onProblem = { problem in printProblem("\(problem)") }
        try model.server(options).run(on: listener, until: stop)
    }
}

/// The models of Readiness, and those of libuv.
enum ServeModel: ExpressibleByArgument, RawRepresentable, CaseIterable {
    case readiness(ServerModel)
    case uvCallbacks
    case uvAsync

    static let allCases: [ServeModel] = ServerModel.allCases.map(readiness) + [.uvCallbacks, .uvAsync]

    init?(rawValue: String) {
        guard let model = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = model
    }

    var rawValue: String {
        switch self {
        case .readiness(let model): model.rawValue
        case .uvCallbacks: "uv-callbacks"
        case .uvAsync: "uv-async"
        }
    }

    func server(_ options: ServerOptions) -> any Server {
        switch self {
        case .readiness(let model): model.server(options)
        case .uvCallbacks: CallbackServer(options)
        case .uvAsync: AsyncServer(options)
        }
    }
}
