#if ServiceLifecycle
public import AsyncUV
public import ServiceLifecycle

/// A service of swift-service-lifecycle that serves the connections of listeners.
///
/// When its group shuts down gracefully the listeners close: nobody new comes, those who are connected are served to their end, and reads
/// that are `untilDraining` find the end of the stream. The group's `maximumGracefulShutdownDuration` limits that; then, and when the
/// group is cancelled, the handlers are cancelled.
public struct ListenerService: Service {
    private let listeners: [TCPListener]
    private let maxConnections: Int
    private let idleTimeout: Duration?
    private let onError: @Sendable (any Error, SocketAddress?) -> Void
    private let handler: @Sendable (TCPConnection) async throws -> Void

    /// The parameters are those of `EventLoopGroup.serve`.
    public init(
        _ listeners: [TCPListener], maxConnections: Int = .max, idleTimeout: Duration? = nil,
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TCPListener.report,
        _ handler: @escaping @Sendable (TCPConnection) async throws -> Void
    ) {
        self.listeners = listeners
        self.maxConnections = maxConnections
        self.idleTimeout = idleTimeout
        self.onError = onError
        self.handler = handler
    }

    /// Serves until the service is shut down or cancelled, or the listeners are closed.
    ///
    /// - Throws: As `TCPListener.serve`.
    public func run() async throws {
        try await closingOnShutdown(listeners.map { listener in { await listener.close() } }) {
            try await EventLoopGroup.serve(
                listeners, maxConnections: maxConnections, idleTimeout: idleTimeout, onError: onError, handler)
        }
    }
}

extension TCPListener {
    /// As `serve`, in a service: when it is shut down gracefully the listener closes, and the call returns when those who are connected
    /// have been served.
    public func serveUntilGracefulShutdown(
        maxConnections: Int = .max, idleTimeout: Duration? = nil,
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TCPListener.report,
        _ handler: @escaping @Sendable (TCPConnection) async throws -> Void
    ) async throws {
        try await closingOnShutdown([{ await self.close() }]) {
            try await serve(
                maxConnections: maxConnections, idleTimeout: idleTimeout, onError: onError, handler)
        }
    }
}

extension LocalListener {
    /// As `serve`, in a service: when it is shut down gracefully the listener closes, and the call returns when those who are connected
    /// have been served.
    public func serveUntilGracefulShutdown(
        maxConnections: Int = .max, idleTimeout: Duration? = nil,
        onError: @escaping @Sendable (any Error, PeerCredentials?) -> Void = LocalListener.report,
        _ handler: @escaping @Sendable (LocalConnection) async throws -> Void
    ) async throws {
        try await closingOnShutdown([{ await self.close() }]) {
            try await serve(
                maxConnections: maxConnections, idleTimeout: idleTimeout, onError: onError, handler)
        }
    }
}

private func closingOnShutdown(
    _ closes: [@Sendable () async -> Void], _ serve: () async throws -> Void
) async throws {
    try await withGracefulShutdownHandler {
        try await serve()
    } onGracefulShutdown: {
        // It must not wait, and a close from elsewhere hops to the loop.
        for close in closes { Task { await close() } }
    }
}
#else
/// Needs the trait `ServiceLifecycle` of the package.
@available(*, unavailable, message: "it needs a trait: .package(…, traits: [.defaults, \"ServiceLifecycle\"])")
public enum ListenerService {}
#endif
