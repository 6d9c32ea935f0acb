public import AsyncUV
internal import HTTPTypes
internal import Synchronization
internal import UV

/// Serves HTTP/1.1 and 1.0 over streams of bytes.
///
/// The requests of a connection are answered one after the other, also when they were sent together. A connection is kept when the client
/// wants it, unless the listener is closed or the loop shuts down: what is under way is answered then, with `Connection: close`.
///
/// What is no proper request gets the status that says so, and the connection ends. A handler that throws ``HTTPRefusal`` answers with it;
/// any other error is told to the client as 500 and given to `onError`.
///
/// ```swift
/// let server = HTTPServer()
/// try await server.serve(listener) { request, response in
///     try await response.send(.ok, text: "You asked for \(request.head.path ?? "")\n")
/// }
/// ```
public final class HTTPServer: Sendable {
    /// Answers a request.
    public typealias Handler = @Sendable (HTTPServerRequest, HTTPServerResponse) async throws -> Void

    /// How much of a request is taken.
    public let limits: HTTPLimits
    /// How long a client may take for a head, from its first byte on; and what it may be late with a body or with taking an answer.
    public let patience: Duration
    /// The slowest line that bodies and answers are for, in bytes a second on average, after ``patience``. A client that is slower is cut
    /// off, because it holds memory, and perhaps a file, as long as it likes otherwise.
    public let slowestRate: Int
    private let counts = Counts()

    /// Makes a server. It serves what ``serve(_:idleTimeout:_:)`` and its relatives are given.
    ///
    /// - Parameter limits: How much of a request is taken.
    /// - Parameter patience: See ``patience``; 408 after it, 30 s unless told otherwise.
    /// - Parameter slowestRate: See ``slowestRate``; 1,000 bytes a second unless told otherwise, 1 at least.
    public init(limits: HTTPLimits = HTTPLimits(), patience: Duration = .seconds(30), slowestRate: Int = 1_000) {
        self.limits = limits
        self.patience = patience
        self.slowestRate = max(1, slowestRate)
    }

    // MARK: Serving

    /// Serves the connections of a listener until that is closed. Otherwise as ``TCPListener/serve(maxConnections:idleTimeout:onError:_:)``.
    ///
    /// - Parameter maxConnections: When they are all taken, a new connection takes the place of the one that has waited longest for a
    ///   request, if one waits.
    /// - Parameter idleTimeout: How long no byte may move on a connection, between two requests, too.
    public func serve(
        _ listener: TCPListener, maxConnections: Int = .max, idleTimeout: Duration? = .seconds(60),
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TCPListener.report,
        _ handler: @escaping Handler
    ) async throws {
        try await listener.serve(maxConnections: maxConnections, idleTimeout: idleTimeout, onError: onError) {
            connection in
            try await self.serve(connection, connection, connection.stream.seat, handler)
        }
    }

    /// Serves the connections of a local listener. Otherwise as ``serve(_:maxConnections:idleTimeout:onError:_:)``.
    public func serve(
        _ listener: LocalListener, maxConnections: Int = .max, idleTimeout: Duration? = .seconds(60),
        onError: @escaping @Sendable (any Error, PeerCredentials?) -> Void = LocalListener.report,
        _ handler: @escaping Handler
    ) async throws {
        try await listener.serve(maxConnections: maxConnections, idleTimeout: idleTimeout, onError: onError) {
            connection in
            try await self.serve(connection, nil, connection.stream.seat, handler)
        }
    }

    /// Serves one stream until the client has finished, an answer ends it, or it is handed over. The caller closes it.
    ///
    /// So the server is put behind others that serve, such as TLS:
    ///
    /// ```swift
    /// try await listener.serve(tls: context, maxConnections: 1_000) { try await server.serve($0, handler) }
    /// ```
    ///
    /// There, too, a new connection takes the place of the one that has waited longest for a request, when `maxConnections` are taken.
    ///
    /// A stream that is a ``ServedStream`` has all time limits; of any other the time for heads and bodies is limited, but not that of answers,
    /// and it does not know when its server drains.
    ///
    /// - Parameter idleTimeout: How long no byte may move, between two requests, too. For a ``StreamConnection``, TCP or TLS, without an idle timeout
    ///   of its own; it keeps this one when it is handed over. `nil` for none.
    /// - Throws: What the handler throws but for ``HTTPRefusal``, and what the stream throws.
    public func serve(
        _ stream: some ByteStream, idleTimeout: Duration? = .seconds(60), _ handler: @escaping Handler
    ) async throws {
        let connection = stream as? any StreamConnection
        if let idleTimeout, let connection, try await connection.idleTimeout == nil {
            try await connection.setIdleTimeout(idleTimeout)
        }
        try await serve(stream, nil, connection?.stream.seat, handler)
    }

    private func serve(
        _ stream: any ByteStream, _ tcp: TCPConnection?, _ seat: ServeSeat?, _ handler: Handler
    ) async throws {
        noteConnection()
        try await ServerConnection(self, stream, tcp, seat).serve(handler)
    }

    // MARK: Counting

    /// What a server has done so far.
    public struct Statistics: Sendable, Hashable {
        /// Connections that were served, those at work now included.
        public var connections = 0
        /// Requests with a head that was taken.
        public var requests = 0
        /// What was no proper request.
        public var refusals = 0
        /// Clients that were too slow, and connections on which no request came any more.
        public var timeouts = 0
        /// Connections that were closed because others needed their place.
        public var displaced = 0
    }

    private struct Counts: ~Copyable {
        let connections = Atomic(0), requests = Atomic(0), refusals = Atomic(0), timeouts = Atomic(0)
        let displaced = Atomic(0)
    }

    /// What the server has done so far.
    public var statistics: Statistics {
        Statistics(
            connections: counts.connections.load(ordering: .relaxed),
            requests: counts.requests.load(ordering: .relaxed), refusals: counts.refusals.load(ordering: .relaxed),
            timeouts: counts.timeouts.load(ordering: .relaxed), displaced: counts.displaced.load(ordering: .relaxed))
    }

    func noteConnection() { counts.connections.add(1, ordering: .relaxed) }
    func noteRequest() { counts.requests.add(1, ordering: .relaxed) }
    func noteRefusal() { counts.refusals.add(1, ordering: .relaxed) }
    func noteTimeout() { counts.timeouts.add(1, ordering: .relaxed) }
    func noteDisplaced() { counts.displaced.add(1, ordering: .relaxed) }

    /// How long the client may take for so many bytes.
    func time(for bytes: Int) -> Duration { patience + .milliseconds(bytes / slowestRate &* 1_000) }
}
