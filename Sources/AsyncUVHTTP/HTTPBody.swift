/// Where a body comes from.
package protocol HTTPBodySource: AnyObject, Sendable {
    /// The next bytes of a message's body, one at least; nothing at its end.
    ///
    /// - Parameter number: Of the message on its connection.
    /// - Parameter limit: The longest body.
    func nextPiece(of number: UInt32, limit: Int) async throws -> [UInt8]?
}

/// The body of a message, as it comes: a sequence of chunks, read once, by one task at a time. What nobody reads is not kept in memory.
///
/// Reading throws ``HTTPRefusal`` with 413 as soon as the body is longer than its limit, and with 400 for chunks that are wrong; ``UVError``
/// with `.endOfFile` when the peer has finished before the end, and what the connection throws.
public struct HTTPBody: AsyncSequence, Sendable {
    let source: any HTTPBodySource
    let number: UInt32

    /// The length in bytes, when the peer has told it; 0 without a body.
    public let length: Int?

    /// The longest body that is taken, in bytes.
    public let limit: Int

    /// The body with another limit, higher or lower.
    public func limited(to limit: Int) -> HTTPBody {
        HTTPBody(source: source, number: number, length: length, limit: limit)
    }

    /// Takes all of the body, or what is left of it.
    ///
    /// - Throws: As the sequence; bytes that came before are lost.
    public func collect() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in self {
            if bytes.isEmpty { bytes = piece } else { bytes += piece }
        }
        return bytes
    }

    /// Takes all of the body as text. Wrong UTF-8 is repaired.
    public func collectText() async throws -> String { String(decoding: try await collect(), as: UTF8.self) }

    public func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    /// Yields the chunks of a body.
    public struct Iterator: AsyncIteratorProtocol {
        let body: HTTPBody

        public func next() async throws -> [UInt8]? {
            if body.length == 0 { return nil }
            return try await body.source.nextPiece(of: body.number, limit: body.limit)
        }

        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> [UInt8]? {
            try await next()
        }
    }
}
