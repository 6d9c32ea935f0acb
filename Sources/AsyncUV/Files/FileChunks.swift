internal import UV

extension File {
    /// The file's content in pieces, in order.
    ///
    /// What is not in memory is read one piece ahead of the consumer. A file that shrinks meanwhile ends early.
    ///
    /// - Parameter count: The size of a piece in bytes, at least 1. The last one may be smaller, and so may each of a
    ///   pseudo-file.
    /// - Parameter offset: Where to begin.
    ///
    /// Its `next()` throws what ``read(upTo:at:)`` throws.
    ///
    /// Cancellation: `CancellationError` at the next piece, also at one that is there already.
    public func chunks(ofCount count: Int, from offset: Int64 = 0) -> FileChunks {
        FileChunks(file: self, count: count, offset: offset)
    }
}

/// The content of a file in pieces: see ``File/chunks(ofCount:from:)``.
public struct FileChunks: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    let file: File
    let count: Int
    let offset: Int64

    public struct AsyncIterator: AsyncIteratorProtocol {
        let file: File
        let count: Int
        var offset: Int64
        /// The read of what comes at the offset, if it has begun.
        private var ahead: Task<[UInt8], any Error>?
        /// Pseudo-files give what they like, so where the next piece begins is not known.
        private var isPredictable = true

        init(_ chunks: FileChunks) {
            file = chunks.file
            count = chunks.count
            offset = chunks.offset
        }

        public mutating func next() async throws -> [UInt8]? {
            guard count > 0 else {
                throw UVError(.invalidArgument, in: "read", of: "\(file.path), pieces of \(count) bytes")
            }
            // Pieces that are there already would keep a cancelled reader going.
            try checkCancellation()
            let piece = try await nextPiece()
            offset += Int64(piece.count)
            if piece.count < count {
                // What was read ahead is not what comes next.
                isPredictable = false
                ahead?.cancel()
                ahead = nil
            }
            return piece.isEmpty ? nil : piece
        }

        // As in TCPConnection's.
        public nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> [UInt8]? {
            try await next()
        }

        private mutating func nextPiece() async throws -> [UInt8] {
            if ahead == nil, file.loop.isCurrent, let bytes = try file.readCached(upTo: count, at: offset) {
                return bytes
            }
            let now = ahead ?? read(at: offset)
            let (next, isBehindAllFiles) = offset.addingReportingOverflow(Int64(count))
            ahead = isPredictable && !isBehindAllFiles ? read(at: next) : nil
            do {
                return try await withTaskCancellationHandler {
                    try await now.value
                } onCancel: {
                    now.cancel()
                }
            } catch {
                ahead?.cancel()
                ahead = nil
                throw error
            }
        }

        private func read(at offset: Int64) -> Task<[UInt8], any Error> {
            file.loop.spawn { [file, count] in
                if file.loop.isCurrent { file.core.open(on: file.loop).readInOrder() }
                return try await file.read(upTo: count, at: offset)
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
