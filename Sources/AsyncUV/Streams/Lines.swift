internal import UV

extension ByteStream {
    /// Takes the bytes up to and including a delimiter, of at most a mebibyte. Otherwise as ``readUntil(_:limit:)``.
    @inlinable
    public func readUntil(_ delimiter: UInt8) async throws -> [UInt8]? {
        try await readUntil(delimiter, limit: 1 << 20)
    }

    /// Takes a line as text, of at most a mebibyte. Otherwise as ``readLine(limit:)``.
    @inlinable
    public func readLine() async throws -> String? { try await readLine(limit: 1 << 20) }

    /// Takes a line as bytes, of at most a mebibyte. Otherwise as ``readLineBytes(limit:)``.
    @inlinable
    public func readLineBytes() async throws -> [UInt8]? { try await readLineBytes(limit: 1 << 20) }

    public func readUntil(_ delimiter: UInt8, limit: Int) async throws -> [UInt8]? {
        try await readPiece { bytes, isLast throws(UVError) in
            try bytes.take(through: delimiter, limit: limit, isLast: isLast, "readUntil")
        }
    }

    public func readLine(limit: Int) async throws -> String? {
        try await readPiece { bytes, isLast throws(UVError) in
            try bytes.takeText(limit: limit, isLast: isLast, "readLine")
        }
    }

    public func readLineBytes(limit: Int) async throws -> [UInt8]? {
        try await readPiece { bytes, isLast throws(UVError) in
            try bytes.takeLine(limit: limit, isLast: isLast, "readLine")
        }
    }

    /// For streams that keep what follows a piece in their own way.
    private func readPiece<Piece>(
        _ take: (inout LineSplitter, _ isLast: Bool) throws(UVError) -> Piece?
    ) async throws -> Piece? {
        var bytes = LineSplitter()
        var isLast = false
        do {
            while true {
                if let piece = try take(&bytes, isLast) {
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

    /// The lines of the stream as text, as ``readLine(limit:)`` takes them.
    ///
    /// - Parameter limit: The longest line, in bytes, without its end; a longer one throws ``UVError`` with `.messageTooLong`.
    @inlinable
    public func lines(limit: Int = 1 << 20) -> Lines<Self> {
        Lines(stream: self, limit: limit)
    }

    /// The lines of the stream as bytes, as ``readLineBytes(limit:)`` takes them. Otherwise as ``lines(limit:)``.
    @inlinable
    public func byteLines(limit: Int = 1 << 20) -> ByteLines<Self> {
        ByteLines(stream: self, limit: limit)
    }
}

// Inlined, so that a call of a known type goes straight to its stream.

/// The lines of a stream as text: see ``ByteStream/lines(limit:)``.
public struct Lines<Stream: ByteStream>: AsyncSequence, Sendable {
    @usableFromInline let stream: Stream
    @usableFromInline let limit: Int

    @inlinable
    init(stream: Stream, limit: Int) {
        self.stream = stream
        self.limit = limit
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline let lines: Lines

        @inlinable
        init(_ lines: Lines) { self.lines = lines }

        @inlinable
        public func next() async throws -> String? { try await lines.stream.readLine(limit: lines.limit) }

        // As in TCPConnection's.
        @inlinable
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> String? {
            try await lines.stream.readLine(limit: lines.limit)
        }
    }

    @inlinable
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// The lines of a stream as bytes: see ``ByteStream/byteLines(limit:)``.
public struct ByteLines<Stream: ByteStream>: AsyncSequence, Sendable {
    @usableFromInline let stream: Stream
    @usableFromInline let limit: Int

    @inlinable
    init(stream: Stream, limit: Int) {
        self.stream = stream
        self.limit = limit
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline let lines: ByteLines

        @inlinable
        init(_ lines: ByteLines) { self.lines = lines }

        @inlinable
        public func next() async throws -> [UInt8]? { try await lines.stream.readLineBytes(limit: lines.limit) }

        // As in TCPConnection's.
        @inlinable
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> [UInt8]? {
            try await lines.stream.readLineBytes(limit: lines.limit)
        }
    }

    @inlinable
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
