/// The body of a request.
public struct HTTPClientBody: Sendable {
    enum Content: Sendable {
        case bytes([UInt8])
        case pieces(length: Int?, @Sendable (HTTPClientBodyWriter) async throws -> Void)
    }

    let content: Content

    /// No body.
    public static let none = HTTPClientBody(content: .bytes([]))

    /// These bytes. They can be sent again after a redirect.
    public static func bytes(_ bytes: [UInt8]) -> Self { Self(content: .bytes(bytes)) }

    /// A text in UTF-8.
    public static func text(_ text: String) -> Self { Self(content: .bytes(Array(text.utf8))) }

    /// A body that a closure writes piece by piece, no faster than the server takes it. It runs in a task of its own, once: such a request is
    /// not repeated, and cannot follow a redirect that keeps the body.
    ///
    /// - Parameter length: How many bytes will be written; `nil` sends them in chunks.
    public static func pieces(
        length: Int? = nil, _ body: @escaping @Sendable (HTTPClientBodyWriter) async throws -> Void
    ) -> Self { Self(content: .pieces(length: length, body)) }

    /// A body of the elements of a sequence: another stream, the chunks of a file. Otherwise as ``pieces(length:_:)``.
    public static func pieces<Pieces: AsyncSequence<[UInt8], any Error> & Sendable>(
        of sequence: Pieces, length: Int? = nil
    ) -> Self {
        .pieces(length: length) { writer in for try await piece in sequence { try await writer.write(piece) } }
    }

    var isRepeatable: Bool { if case .bytes = content { true } else { false } }
    var isEmpty: Bool { if case .bytes(let bytes) = content { bytes.isEmpty } else { false } }
}

/// Writes the body of a request piece by piece.
public struct HTTPClientBodyWriter: Sendable {
    let upload: ClientUpload

    /// Sends some bytes, after those before; it returns when the system has them. With no bytes nothing is sent.
    ///
    /// - Throws: ``HTTPClientError`` with `.badRequest` for more bytes than promised, `.bodyTimeout` when the server takes none for
    ///   too long; what writing to the stream throws.
    ///
    /// Cancellation, which also comes when the server has refused the request: the connection cannot be used any more.
    public func write(_ bytes: [UInt8]) async throws { try await upload.write(bytes) }

    /// Sends a text in UTF-8. Otherwise as ``write(_:)``.
    public func write(_ text: String) async throws { try await upload.write(Array(text.utf8)) }
}
