internal import UV

extension File {
    /// The lines of the file as text, without their ends (LF or CR LF). Wrong UTF-8 is repaired.
    ///
    /// - Parameter offset: Where to begin, in bytes from the file's start; in the middle of a line, its rest is the first one.
    /// - Parameter limit: The longest line, in bytes, without its end; a longer one throws ``UVError`` with `.messageTooLong`.
    ///
    /// Otherwise its `next()` throws what ``read(upTo:at:)`` throws. Others run now and then, however fast lines come.
    ///
    /// Cancellation: `CancellationError` at the next line, also at one that is there already.
    @inlinable
    public func lines(from offset: Int64 = 0, limit: Int = 1 << 20) -> FileLines {
        FileLines(of: self, from: offset, limit: limit)
    }

    /// The lines of the file as bytes. Otherwise as ``lines(from:limit:)``.
    @inlinable
    public func byteLines(from offset: Int64 = 0, limit: Int = 1 << 20) -> FileByteLines {
        FileByteLines(of: self, from: offset, limit: limit)
    }
}

/// What the iterators of a file's lines have in common.
@usableFromInline
struct FileLineReader {
    private var chunks: FileChunks.AsyncIterator
    private let limit: Int
    private var bytes = LineSplitter()
    private var isLast = false

    @usableFromInline
    init(of file: File, from offset: Int64, limit: Int) {
        chunks = FileChunks(file: file, count: 65_536, offset: offset).makeAsyncIterator()
        self.limit = limit
    }

    @usableFromInline
    mutating func nextText() async throws -> String? {
        try await next { bytes, limit, isLast throws(UVError) in
            try bytes.takeText(limit: limit, isLast: isLast, "lines")
        }
    }

    @usableFromInline
    mutating func nextBytes() async throws -> [UInt8]? {
        try await next { bytes, limit, isLast throws(UVError) in
            try bytes.takeLine(limit: limit, isLast: isLast, "lines")
        }
    }

    // Inlined, so that the kind of line is known.
    @inline(__always)
    private mutating func next<Line>(
        _ take: (inout LineSplitter, Int, Bool) throws(UVError) -> Line?
    ) async throws -> Line? {
        if try chunks.file.loop.hasEnough() { await chunks.file.loop.giveWay() }
        repeat {
            do throws(UVError) {
                if let line = try take(&bytes, limit, isLast) { return line }
            } catch { throw error.naming(chunks.file.path) }
        } while try await fill()
        return nil
    }

    /// - Returns: False when there is nothing more to look through.
    @inline(never)
    private mutating func fill() async throws -> Bool {
        if isLast { return false }
        if let more = try await chunks.next() { bytes.append(more) } else { isLast = true }
        return true
    }
}

/// The lines of a file as text: see ``File/lines(from:limit:)``.
public struct FileLines: AsyncSequence, Sendable {
    @usableFromInline let file: File
    @usableFromInline let offset: Int64
    @usableFromInline let limit: Int

    @inlinable
    init(of file: File, from offset: Int64, limit: Int) {
        self.file = file
        self.offset = offset
        self.limit = limit
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline var reader: FileLineReader

        @inlinable
        init(_ lines: FileLines) {
            reader = FileLineReader(of: lines.file, from: lines.offset, limit: lines.limit)
        }

        @inlinable
        public mutating func next() async throws -> String? { try await reader.nextText() }

        // As in TCPConnection's.
        @inlinable
        public nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> String? {
            try await reader.nextText()
        }
    }

    @inlinable
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// The lines of a file as bytes: see ``File/byteLines(from:limit:)``.
public struct FileByteLines: AsyncSequence, Sendable {
    @usableFromInline let file: File
    @usableFromInline let offset: Int64
    @usableFromInline let limit: Int

    @inlinable
    init(of file: File, from offset: Int64, limit: Int) {
        self.file = file
        self.offset = offset
        self.limit = limit
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline var reader: FileLineReader

        @inlinable
        init(_ lines: FileByteLines) {
            reader = FileLineReader(of: lines.file, from: lines.offset, limit: lines.limit)
        }

        @inlinable
        public mutating func next() async throws -> [UInt8]? { try await reader.nextBytes() }

        // As in TCPConnection's.
        @inlinable
        public nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> [UInt8]? {
            try await reader.nextBytes()
        }
    }

    @inlinable
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
