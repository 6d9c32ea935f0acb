import AsyncUV
import AsyncUVHTTP
import AsyncUVHTTP2
import AsyncUVTLS
import ExampleSupport
import HTTPTypes
import Synchronization

/// Serves a site.
final class Server: Sendable {
    /// How long answers that are on their way may hold up the end.
    private static let grace = Duration.seconds(1)

    private let site: Site
    private let limits: ServerLimits
    private let server: HTTPServer
    private let answered = Atomic(0), bytes = Atomic(0)

    init(site: Site, limits: ServerLimits) {
        self.site = site
        self.limits = limits
        server = HTTPServer(patience: limits.request)
    }

    /// What was done so far.
    var tally: Tally {
        let statistics = server.statistics
        return Tally(
            connections: statistics.connections,
            requests: answered.load(ordering: .relaxed) + statistics.refusals, bytes: bytes.load(ordering: .relaxed),
            timeouts: statistics.timeouts, displaced: statistics.displaced)
    }

    /// Serves until SIGINT or SIGTERM.
    ///
    /// - Parameter context: `nil` for plain HTTP.
    func run(at address: SocketAddress, tls context: TLSContext?, on loop: EventLoop) async throws {
        let listener = try await TCPListener.bind(to: address)
        let signals = try await Signals.watch(.interrupt, .terminate)
        loop.spawn(onError: { TCPListener.report($0, nil) }) { try await self.serve(listener, tls: context) }
        printLine("listening on \(listener.localAddress)")
        _ = try await signals.next()
        await loop.shutdown(grace: Self.grace)
    }

    /// Serves the connections of a listener until that is closed.
    func serve(_ listener: TCPListener, tls context: TLSContext? = nil) async throws {
        guard let context else {
            return try await server.serve(
                listener, maxConnections: limits.connections, idleTimeout: limits.idle, answer)
        }
        let server = HTTP2Server(server)
        try await listener.serve(tls: context, maxConnections: limits.connections, idleTimeout: limits.idle) {
            [self] connection in
            try await server.serve(connection, answer)
        }
    }

    @Sendable
    private func answer(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws {
        let answer = try await site.answer(to: request.head)
        try await answer.send(by: response)
        answered.add(1, ordering: .relaxed)
        if request.head.method != .head { bytes.add(answer.size, ordering: .relaxed) }
    }
}
