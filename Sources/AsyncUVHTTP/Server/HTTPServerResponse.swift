public import AsyncUV
public import HTTPTypes

/// The answer to a request: one of `send(_:_:_:)` and its relatives, ``stream(_:_:length:_:)`` or ``upgrade(_:_:)``, once. It is valid while
/// the handler runs.
///
/// Length, transfer coding, `Connection` and `Date` come from the server. A HEAD gets no body, nor do 204 and 304. Fields and texts
/// cannot end a line: HTTPTypes makes spaces of what would.
///
/// All functions throw ``HTTPServerError`` for an answer that is used wrongly, and what the connection throws. After a cancellation or an error
/// nobody knows how much the client got, so the connection ends.
public struct HTTPServerResponse: Sendable {
    let exchange: AnyExchange
    let number: UInt32

    init(connection: ServerConnection, number: UInt32) { self.init(.http1(connection), number: number) }

    init(_ exchange: AnyExchange, number: UInt32) {
        self.exchange = exchange
        self.number = number
    }

    /// Whether the answer has begun.
    public var hasBegun: Bool {
        switch exchange {
        case .http1(let connection): connection.hasBegun(number)
        case .other(let other): other.exchange.hasBegun
        }
    }

    // MARK: At once

    /// Sends an answer. It returns when the system has all of it.
    public func send(_ status: HTTPResponse.Status = .ok, _ fields: HTTPFields = [:], _ body: [UInt8] = []) async throws
    {
        switch exchange {
        case .http1(let connection): try await connection.send(number, status, fields, body)
        case .other(let other): try await other.exchange.send(status, fields, body)
        }
    }

    /// Sends a text in UTF-8; `text/plain` unless the fields say something else.
    public func send(_ status: HTTPResponse.Status = .ok, _ fields: HTTPFields = [:], text: String) async throws {
        var fields = fields
        if !fields.contains(.contentType) { fields[.contentType] = "text/plain; charset=utf-8" }
        try await send(status, fields, Array(text.utf8))
    }

    /// Sends an answer whose head was written before.
    public func send(_ head: HTTPPreparedHead, _ body: [UInt8] = []) async throws {
        switch exchange {
        case .http1(let connection): try await connection.send(number, head, body)
        case .other(let other): try await other.exchange.send(head.status, head.fields, body)
        }
    }

    // MARK: Files

    /// Sends a part of a file: small ones with the head, large ones by the system where the stream lets it (``File/send(to:from:count:timeout:onProgress:)``).
    ///
    /// - Parameter range: In bytes; all of them must be there.
    /// - Throws: ``UVError`` with `.endOfFile` when the file was cut meanwhile; otherwise as reading it.
    public func send(_ head: HTTPPreparedHead, _ file: File, _ range: Range<Int64>) async throws {
        switch exchange {
        case .http1(let connection): try await connection.send(number, head, file, range)
        case .other(let other): try await other.exchange.send(head.status, head.fields, file, range)
        }
    }

    /// Sends a part of a file. Otherwise as `send(_:_:_:)`.
    public func send(
        _ status: HTTPResponse.Status = .ok, _ fields: HTTPFields = [:], _ file: File, _ range: Range<Int64>
    ) async throws {
        try await send(HTTPPreparedHead(status, fields), file, range)
    }

    // MARK: Piece by piece

    /// Sends a body piece by piece, no faster than the client takes it. The head leaves at once.
    ///
    /// Without a length the body is sent in chunks; a client of HTTP/1.0 gets it up to the end of the connection. When the closure throws, the
    /// client sees that the body is not whole. It is not called for a HEAD, 204 and 304.
    ///
    /// - Parameter length: How many bytes will be written.
    public func stream(
        _ status: HTTPResponse.Status = .ok, _ fields: HTTPFields = [:], length: Int? = nil,
        _ body: nonisolated(nonsending) (HTTPBodyWriter) async throws -> Void
    ) async throws {
        let hasBody =
            switch exchange {
            case .http1(let connection): try await connection.beginStream(number, status, fields, length)
            case .other(let other): try await other.exchange.beginStream(status, fields, length)
            }
        if !hasBody { return }
        let writer = HTTPBodyWriter(exchange: exchange, number: number)
        try await body(writer)
        try await writer.end(nil)
    }

    /// Sends an interim answer, such as 103 with links that the client can fetch already. Clients of HTTP/1.0 do not get it.
    ///
    /// - Parameter status: Of 100 to 199, but not 101.
    public func inform(_ status: HTTPResponse.Status, _ fields: HTTPFields = [:]) async throws {
        switch exchange {
        case .http1(let connection): try await connection.inform(number, status, fields)
        case .other(let other): try await other.exchange.inform(status, fields)
        }
    }

    // MARK: Another protocol

    /// Hands the connection over to another protocol: 101, or 200 for a CONNECT. What the client has sent already is read first. After
    /// the closure the connection ends.
    ///
    /// The idle timeout of the server goes on; ``StreamConnection/setIdleTimeout(_:)`` changes it. Whether the client asked for the protocol is for the
    /// handler to see.
    ///
    /// - Parameter fields: `Upgrade` with the protocol's name, and what the protocol wants. `Connection: Upgrade` comes by itself.
    /// - Throws: ``HTTPServerError/bodyUnread`` when the request has a body that was not read; ``HTTPServerError/wrongStatus(_:)`` with HTTP/2,
    ///   which knows no upgrades.
    public func upgrade(
        _ fields: HTTPFields = [:], _ body: nonisolated(nonsending) (any ByteStream) async throws -> Void
    ) async throws {
        guard case .http1(let connection) = exchange else { throw HTTPServerError.wrongStatus(101) }
        try await body(try await connection.upgrade(number, fields))
    }
}

/// Writes the body of an answer piece by piece.
public struct HTTPBodyWriter: Sendable {
    let exchange: AnyExchange
    let number: UInt32

    /// Sends some bytes, after those before; it returns when the system has them. With no bytes nothing is sent.
    ///
    /// - Throws: ``HTTPServerError/wrongLength(promised:written:)`` for more bytes than promised, ``HTTPServerError/isOver`` after the closure.
    public func write(_ bytes: [UInt8]) async throws {
        switch exchange {
        case .http1(let connection): try await connection.write(number, bytes)
        case .other(let other): try await other.exchange.write(bytes)
        }
    }

    /// Sends a text in UTF-8. Otherwise as ``write(_:)``.
    public func write(_ text: String) async throws { try await write(Array(text.utf8)) }

    /// Ends the body, with fields behind it (trailers): nothing can be written afterwards. Clients of HTTP/1.0, and those that were promised a length
    /// by HTTP/1.1, do not get the fields.
    ///
    /// - Throws: ``HTTPServerError/wrongLength(promised:written:)`` for fewer bytes than promised, ``HTTPServerError/isOver`` after the end.
    public func finish(trailers: HTTPFields = [:]) async throws { try await end(trailers) }

    func end(_ trailers: HTTPFields?) async throws {
        switch exchange {
        case .http1(let connection): try await connection.endStream(number, trailers)
        case .other(let other): try await other.exchange.endStream(trailers)
        }
    }
}
