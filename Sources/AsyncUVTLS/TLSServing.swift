public import AsyncUV
internal import UV

extension TCPListener {
    /// Serves each connection under TLS, in a child task on the loop, and closes it when the handler ends. Otherwise as
    /// `serve(maxConnections:idleTimeout:onError:_:)`.
    ///
    /// - Parameter context: ``TLSContext/server(identity:otherIdentities:clientCertificates:applicationProtocols:versions:)``.
    ///   ``TLSContext/reload(from:)`` takes effect at the next connection.
    /// A server of HTTP that serves the connections gives them its idle timeout, unless there is one here, and makes room for new ones when
    /// `maxConnections` are taken, as it does in clear.
    ///
    /// - Parameter handshakeTimeout: How long a client may take for its handshake.
    /// - Parameter onHandshakeError: Gets what the handshake of a stranger failed with. By default nothing is said: scanners do it all day.
    /// - Parameter onError: Gets what a handler threw. By default it goes to the handler of `Diagnostics`, but for peers that vanished, and
    ///   connections that were cut off.
    /// - Throws: Also ``TLSError/configuration(reason:)`` for the context of a client.
    public func serve(
        tls context: TLSContext,
        handshakeTimeout: Duration = .seconds(10),
        maxConnections: Int = .max,
        idleTimeout: Duration? = nil,
        onHandshakeError: @escaping @Sendable (any Error, SocketAddress?) -> Void = { _, _ in },
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TLSConnection.report,
        _ handler: @escaping @Sendable (TLSConnection) async throws -> Void
    ) async throws {
        if !context.isServer { throw TLSError.configuration(reason: "the context is not that of a server") }
        try await serve(maxConnections: maxConnections, idleTimeout: idleTimeout, onError: onError) { connection in
            let secured: TLSConnection
            do {
                secured = try await TLSConnection.secure(connection, context.settings, nil, nil, handshakeTimeout)
            } catch {
                if !(error is CancellationError) { onHandshakeError(error, connection.remoteAddress) }
                return
            }
            try await handler(secured)
        }
    }
}

extension EventLoopGroup {
    /// Serves the connections of all listeners under TLS, each on its loop. Otherwise as
    /// `serve(tls:handshakeTimeout:maxConnections:idleTimeout:onHandshakeError:onError:_:)`; clients resume their sessions on
    /// any of the loops.
    public static func serve(
        _ listeners: [TCPListener],
        tls context: TLSContext,
        handshakeTimeout: Duration = .seconds(10),
        maxConnections: Int = .max,
        idleTimeout: Duration? = nil,
        onHandshakeError: @escaping @Sendable (any Error, SocketAddress?) -> Void = { _, _ in },
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TLSConnection.report,
        _ handler: @escaping @Sendable (TLSConnection) async throws -> Void
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for listener in listeners {
                group.addTask(executorPreference: listener.loop) {
                    try await listener.serve(
                        tls: context, handshakeTimeout: handshakeTimeout, maxConnections: maxConnections,
                        idleTimeout: idleTimeout, onHandshakeError: onHandshakeError, onError: onError, handler)
                }
            }
        }
    }
}

extension TLSConnection {
    /// What `serve(tls:)` does with errors by default: as `TCPListener.report`, and nothing for a connection that was cut off.
    public static let report: @Sendable (any Error, SocketAddress?) -> Void = { error, peer in
        if case .truncated? = error as? TLSError { return }
        TCPListener.report(error, peer)
    }
}
