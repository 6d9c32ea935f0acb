public import AsyncUV
public import HTTPTypes
internal import UV

extension HTTPClient {
    /// Connects a WebSocket: `ws://example.org/chat`, and `wss` with a transport that secures.
    ///
    /// - Parameter subprotocols: What we can talk, what we like best first; the server's choice is in ``WebSocket/subprotocol``.
    /// - Parameter fields: Of the request: `Authorization`, `Cookie`, `Origin`.
    /// - Throws: ``WebSocketError`` with `.refused` when the server answers something else. Otherwise as ``send(_:to:fields:body:)``;
    ///   redirects are not followed.
    ///
    /// Cancellation: the connection is closed.
    public func webSocket(
        _ url: String, subprotocols: [String] = [], fields: HTTPFields = [:],
        limits: WebSocketLimits = WebSocketLimits()
    ) async throws -> WebSocket {
        let url = try Self.url(url)
        let request = WebSocketHandshake.request(
            authority: url.authority, path: url.path, subprotocols: subprotocols, fields: fields)
        let head: HTTPResponse
        let stream: any ByteStream
        do { (head, stream) = try await upgrade(to: url, fields: request.headerFields) } catch let error
            as HTTPClientError where error.kind == .badResponse
        { throw WebSocketError.refused(error.description) }
        do {
            let chosen = try WebSocketHandshake.check(head, to: request)
            return WebSocket(stream, role: .client, limits: limits, subprotocol: chosen)
        } catch {
            await stream.close()
            throw error
        }
    }
}

extension WebSocket {
    /// Connects to a server over TCP. For `wss`, and for proxies: ``HTTPClient/webSocket(_:subprotocols:fields:limits:)``, whose words
    /// hold here, too.
    public static func connect(
        _ url: String, subprotocols: [String] = [], fields: HTTPFields = [:],
        limits: WebSocketLimits = WebSocketLimits(),
        on loop: EventLoop = .current ?? .shared
    ) async throws -> WebSocket {
        try await HTTPClient(on: loop).webSocket(url, subprotocols: subprotocols, fields: fields, limits: limits)
    }
}
