internal import UV

extension File {
    /// The lines of the file as text, without their ends (LF or CR LF). Wrong UTF-8 is repaired.
    ///
    /// - Parameter limit: The longest line, in bytes, without its end; a longer one throws ``UVError`` with `.messageTooLong`.
    ///
    /// Otherwise its `next()` throws what ``read(upTo:at:)`` throws. Others run now and then, however fast lines come.
    ///
    /// Cancellation: `CancellationError` at the next line, also at one that is there already.
    public func lines(limit: Int = 1 << 20) -> FileLines {
        FileLines(chunks: FileChunks(file: self, count: 65_536, offset: 0), limit: limit)
    }
}

/// See ``File/lines(limit:)``.
public struct FileLines: AsyncSequence, Sendable {
    public typealias Element = String
    let chunks: FileChunks
    let limit: Int

    public struct AsyncIterator: AsyncIteratorProtocol {
        private var chunks: FileChunks.AsyncIterator
        private let limit: Int
        private var bytes = LineSplitter()
        private var isLast = false

        init(_ lines: FileLines) {
            chunks = lines.chunks.makeAsyncIterator()
            limit = lines.limit
        }

        public mutating func next() async throws -> String? {
            try await chunks.file.loop.pace()
            while true {
                if let line = try bytes.take(to: .line, limit: limit, isLast: isLast, "lines") {
                    return String(decoding: line, as: UTF8.self)
                }
                if isLast { return nil }
                if let more = try await chunks.next() { bytes.append(more) } else { isLast = true }
            }
        }

        // As in TCPConnection's.
        public nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> String? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
