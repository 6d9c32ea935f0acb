public import HTTPTypes

/// What a server has answered.
///
/// The body comes as it is read. The connection goes back to the client's others when the body has been read to its end; dropping the
/// response before resets it.
public struct HTTPClientResponse: Sendable {
    /// The status and the fields.
    public let head: HTTPResponse
    /// Where it came from, after redirects.
    public let url: HTTPURL
    /// The body, as it comes: read once, without a limit unless ``HTTPBody/limited(to:)`` sets one. It throws ``HTTPClientError`` with `.truncated`,
    /// `.badResponse`, `.bodyTimeout` or `.bodyTooLong`.
    ///
    /// What the server has compressed stays so: no `Accept-Encoding` is sent.
    public let body: HTTPBody
    let exchange: ClientExchange

    /// The status, also one of a failure: that is no error here.
    public var status: HTTPResponse.Status { head.status }
    /// The fields of the head, in their order.
    public var fields: HTTPFields { head.headerFields }

    /// The fields behind a body in chunks, when it has been read to its end.
    public var trailers: HTTPFields { exchange.trailers }

    /// Takes all of the body.
    ///
    /// - Parameter limit: More bytes throw ``HTTPClientError`` with `.bodyTooLong`.
    public func bytes(limit: Int = 64 << 20) async throws -> [UInt8] {
        try await body.limited(to: limit).collect()
    }

    /// Takes all of the body as text. Wrong UTF-8 is repaired. Otherwise as ``bytes(limit:)``.
    public func text(limit: Int = 64 << 20) async throws -> String {
        String(decoding: try await bytes(limit: limit), as: UTF8.self)
    }
}
