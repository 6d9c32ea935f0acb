public import AsyncUV
public import AsyncUVHTTP
internal import UV

/// Serves HTTP/2 and HTTP/1.1 with the same handler. Which of them a client speaks shows in its first bytes: after TLS has agreed on `h2`, and in clear
/// (prior knowledge).
///
/// ```swift
/// let server = HTTP2Server()
/// let context = try TLSContext.server(identity: identity, applicationProtocols: HTTP2Server.applicationProtocols)
/// try await listener.serve(tls: context) { connection in
///     try await server.serve(connection) { request, response in
///         try await response.send(.ok, text: "You asked for \(request.head.path ?? "")\n")
///     }
/// }
/// ```
///
/// Each request of HTTP/2 is a child task of its connection's, on the loop. Differences that a handler may notice:
///
/// * An error of a handler goes to `onError`, and ends its stream only, not the connection.
/// * A client that gives a request up resets its stream: reading and writing throw ``HTTPServerError/clientGone``. A connection that is
///   lost cancels its handlers.
/// * ``HTTPServerResponse/upgrade(_:_:)`` is for HTTP/1.1 only.
/// * A body that nobody reads stops its client, but not the client's other requests. What a handler leaves of it is not read: the client is told
///   to send no more.
/// * An answer with more than 512 KiB of fields is an error.
///
/// Local sockets and others are served by their own `serve`, which calls ``serve(_:idleTimeout:onError:_:)`` for each connection, as with TLS above.
public final class HTTP2Server: Sendable {
    /// Serves clients of HTTP/1.1, and has what is the same for both: the limits of a request, patience, statistics.
    public let http: HTTPServer
    /// What a client of HTTP/2 may have at a time.
    public let limits: HTTP2Limits

    /// What to give `TLSContext.server(identity:applicationProtocols:)`.
    public static let applicationProtocols = ["h2", "http/1.1"]

    /// Makes a server.
    ///
    /// - Parameter http: Serves clients of HTTP/1.1; its limits and patience count for HTTP/2, too.
    public init(_ http: HTTPServer = HTTPServer(), limits: HTTP2Limits = HTTP2Limits()) {
        self.http = http
        self.limits = limits.possible
    }

    /// Serves the connections of a listener until that is closed, in clear. Otherwise as ``TCPListener/serve(maxConnections:idleTimeout:onError:_:)``.
    ///
    /// A listener that is closed lets the requests that are at work end, and tells clients of HTTP/2 to send no more (GOAWAY).
    ///
    /// - Parameter maxConnections: When they are all taken, a new connection takes the place of the one that has waited longest for a request, if
    ///   one waits.
    /// - Parameter idleTimeout: How long no byte may move on a connection without a request.
    /// - Parameter onError: Gets what a handler or a connection threw.
    public func serve(
        _ listener: TCPListener, maxConnections: Int = .max, idleTimeout: Duration? = .seconds(60),
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TCPListener.report,
        _ handler: @escaping HTTPServer.Handler
    ) async throws {
        try await listener.serve(
            maxConnections: maxConnections, idleTimeout: idleTimeout, onError: onError
        ) { connection in
            try await self.serve(connection, idleTimeout: nil, onError: onError, handler)
        }
    }

    /// Serves one stream until the client has finished, is too slow, or the server drains. The caller closes it.
    ///
    /// A stream that is a ``ServedStream`` has all time limits; any other does not know when its server drains.
    ///
    /// - Parameter idleTimeout: As in ``HTTPServer/serve(_:idleTimeout:_:)``.
    /// - Parameter onError: Gets what handlers of HTTP/2 throw, with the client's address.
    /// - Throws: What the stream throws, and what a handler of HTTP/1.1 does.
    ///
    /// Cancellation cancels the handlers.
    public func serve(
        _ stream: some ByteStream, idleTimeout: Duration? = .seconds(60),
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TCPListener.report,
        _ handler: @escaping HTTPServer.Handler
    ) async throws {
        if let idleTimeout, let connection = stream as? any StreamConnection, try await connection.idleTimeout == nil {
            try await connection.setIdleTimeout(idleTimeout)
        }
        switch try await firstBytes(of: stream) {
        case .nothing: return
        case .others(let bytes):
            try await stream.unread(bytes)
            try await http.serve(stream, idleTimeout: nil, handler)
        case .preface(let bytes):
            http.noteOtherConnection()
            try await HTTP2Connection(self, stream, onError).serve(bytes, handler)
        }
    }

    private enum FirstBytes {
        case nothing
        case preface([UInt8])
        case others([UInt8])
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// Reads until it is clear what the client speaks.
    private func firstBytes(of stream: some ByteStream) async throws -> FirstBytes {
        let served = stream as? any ServedStream
        var bytes: [UInt8] = []
        // Of all of them, from the first one on.
        var deadline: LoopClock.Instant?
        while bytes.count < Self.preface.count {
            let more: [UInt8]?
            do {
                more = try await stream.read(upTo: 16_384, by: deadline, as: served, untilDraining: bytes.isEmpty)
            } catch let error as UVError where error.code == .timedOut {
                http.noteOtherTimeout()
                return .nothing
            } catch let error where error.peerDeparture != nil {
                return .nothing
            }
            guard let more else { return bytes.isEmpty ? .nothing : .others(bytes) }
            bytes += more
            if deadline == nil { deadline = .now + http.patience }
            if !bytes.starts(with: Self.preface.prefix(bytes.count)) { return .others(bytes) }
        }
        return .preface(bytes)
    }
}
