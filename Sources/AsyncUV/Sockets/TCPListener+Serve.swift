public import UV

extension TCPListener {
    /// Serves each connection in a child task on the loop and closes it when the handler ends.
    ///
    /// A client that still sends when its handler ends gets what was written to it: see ``ByteStream/close()``. Its
    /// connection counts until it has finished, too. An error of a handler ends its connection only. After ``close()`` no
    /// new connections come, those there are served to their end, and the call returns; reads that are
    /// `untilDraining` find the end of the stream then. Cancelling the task cancels all
    /// handlers.
    ///
    /// - Parameter maxConnections: More wait: up to 32 accepted ahead, with their descriptors, the others in the kernel.
    /// - Parameter idleTimeout: Set on each connection: see ``StreamConnection/setIdleTimeout(_:)``.
    /// - Parameter onError: Gets what a handler threw, with the connection's peer, and a lack of descriptors or
    ///   the like, without one. By default it goes to the handler of ``Diagnostics``, but for peers that vanished
    ///   and cancelled handlers.
    /// - Throws: `CancellationError` when cancelled, ``UVError`` with `.canceled` when the loop ends, `.invalidArgument` for
    ///   fewer connections than one and an idle timeout that is not positive.
    public func serve(
        maxConnections: Int = .max,
        idleTimeout: Duration? = nil,
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TCPListener.report,
        _ handler: @escaping @Sendable (TCPConnection) async throws -> Void
    ) async throws {
        try await listener.serve(
            maxConnections: maxConnections, idleTimeout: idleTimeout, onError: { onError($0, $1?.remoteAddress) },
            handler)
    }

    /// What ``serve(maxConnections:idleTimeout:onError:_:)`` does with errors by default: the handler of ``Diagnostics`` is told of an
    /// error, but not of what is everyday life: a peer that vanished, a handler that was cancelled. A lack of descriptors, which comes
    /// again and again while it lasts, is a warning a second.
    ///
    /// Nothing is printed: without a handler nobody is told. See ``Diagnostics/standardError``.
    public static let report: @Sendable (any Error, SocketAddress?) -> Void = { error, peer in
        ServeReport.write(error, of: peer?.description)
    }
}
