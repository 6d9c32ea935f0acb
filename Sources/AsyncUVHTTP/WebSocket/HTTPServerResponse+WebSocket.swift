internal import AsyncUV
internal import HTTPTypes

extension HTTPServerResponse {
    /// Answers a client that asks for a WebSocket, and closes it after the closure. A client that asks for something else, or wrongly,
    /// gets the status that says so; the closure is not called then.
    ///
    /// ```swift
    /// try await server.serve(listener) { request, response in
    ///     try await response.webSocket(for: request) { socket in
    ///         for try await message in socket { try await socket.send(message) }
    ///     }
    /// }
    /// ```
    ///
    /// When the closure throws, the client is told with code 1011, which names no cause, and the error goes on; that a client has gone
    /// (``WebSocketError`` with `.truncated`, `.closed` or `.unanswered`) is no error of the server. When the server ends, a client that is waited for is told with
    /// code 1001, and ``WebSocket/next()`` is `nil` when it has answered.
    ///
    /// - Parameter subprotocols: What the server can talk: see ``WebSocketHandshake/response(to:subprotocols:origins:)``, as for the next.
    /// - Parameter origins: The pages that browsers may come from; `nil` for all.
    /// - Parameter pinging: How long nothing may come before the client is pinged, and again until it is given up:
    ///   see ``WebSocket/keepAlive(every:timeout:)``. `nil` for never: then the server's idle timeout ends it.
    public func webSocket(
        for request: HTTPServerRequest, subprotocols: [String] = [], origins: Set<String>? = nil,
        limits: WebSocketLimits = WebSocketLimits(), pinging: Duration? = .seconds(20),
        _ body: nonisolated(nonsending) (WebSocket) async throws -> Void
    ) async throws {
        var answer = WebSocketHandshake.response(to: request.head, subprotocols: subprotocols, origins: origins)
        answer.headerFields[.connection] = nil
        guard answer.status == .switchingProtocols else { return try await send(answer.status, answer.headerFields) }
        guard case .http1(let connection) = exchange else {
            return try await send(.badRequest, text: "WebSockets are for HTTP/1.1 here\n")
        }
        if let problem = connection.problemOfUpgrade { return try await send(.badRequest, text: "\(problem)\n") }
        try await upgrade(answer.headerFields) { stream in
            let socket = WebSocket(
                stream, role: .server, limits: limits, subprotocol: answer.headerFields[.secWebSocketProtocol])
            let alive = pinging.map { pinging in
                stream.loop.spawn { try await socket.keepAlive(every: pinging, timeout: pinging) }
            }
            defer { alive?.cancel() }
            do { try await body(socket) } catch let error as WebSocketError where error.isEveryday {
                return await stream.close()
            } catch {
                await socket.close(.internalError)
                throw error
            }
            await socket.close()
        }
    }
}

extension WebSocketError {
    /// Whether it tells of a peer that has gone.
    fileprivate var isEveryday: Bool { kind == .truncated || kind == .closed || kind == .unanswered }
}
