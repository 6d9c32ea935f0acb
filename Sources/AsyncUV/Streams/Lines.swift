internal import UV

extension ByteStream {
    /// Takes the bytes up to and including a delimiter, of at most a mebibyte. Otherwise as ``readUntil(_:limit:)``.
    public func readUntil(_ delimiter: UInt8) async throws -> [UInt8]? {
        try await readUntil(delimiter, limit: 1 << 20)
    }

    /// Takes a line as text, of at most a mebibyte. Otherwise as ``readLine(limit:)``.
    public func readLine() async throws -> String? { try await readLine(limit: 1 << 20) }

    public func readUntil(_ delimiter: UInt8, limit: Int) async throws -> [UInt8]? {
        try await readPiece(to: .delimiter(delimiter), limit: limit, "readUntil").map { Array($0) }
    }

    public func readLine(limit: Int) async throws -> String? {
        try await readPiece(to: .line, limit: limit, "readLine").map { String(decoding: $0, as: UTF8.self) }
    }

    /// For streams that keep what follows a piece in their own way.
    private func readPiece(
        to end: LineSplitter.End, limit: Int, _ operation: StaticString
    ) async throws -> ArraySlice<UInt8>? {
        var bytes = LineSplitter()
        var isLast = false
        do {
            while true {
                if let piece = try bytes.take(to: end, limit: limit, isLast: isLast, operation) {
                    if let rest = bytes.take(upTo: .max) { try await unread(rest) }
                    return piece
                }
                if isLast { return nil }
                if let more = try await read() { bytes.append(more) } else { isLast = true }
            }
        } catch {
            if let rest = bytes.take(upTo: .max) { try? await unread(rest) }
            throw error
        }
    }

    /// The lines of the stream, as ``readLine(limit:)`` takes them.
    ///
    /// - Parameter limit: The longest line, in bytes, without its end; a longer one throws ``UVError`` with `.messageTooLong`.
    public func lines(limit: Int = 1 << 20) -> Lines<Self> { Lines(stream: self, limit: limit) }
}

/// See ``ByteStream/lines(limit:)``.
public struct Lines<Stream: ByteStream>: AsyncSequence, Sendable {
    public typealias Element = String
    let stream: Stream
    let limit: Int

    public struct AsyncIterator: AsyncIteratorProtocol {
        let stream: Stream
        let limit: Int

        public func next() async throws -> String? { try await stream.readLine(limit: limit) }

        // As in TCPConnection's.
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> String? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: stream, limit: limit) }
}
