internal import UV

/// The entries of a directory, as a sequence: see ``FileSystem/entries(of:on:)``.
public struct DirectoryList: AsyncSequence, Sendable {
    public typealias Element = DirectoryEntry
    let path: FilePath
    let loop: EventLoop

    /// All entries, sorted by the bytes of their names.
    ///
    /// - Parameter timeout: As of ``FileSystem``'s calls.
    /// - Throws: What the sequence throws.
    public func sorted(timeout: Duration? = nil) async throws -> [DirectoryEntry] {
        try await FileSystem.perform(.entries(of: path), of: path, within: timeout, on: loop)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let path: FilePath
        private let loop: EventLoop
        private var batch: ArraySlice<DirectoryEntry> = []
        private var directory: DirectoryReader?
        private var isAtEnd = false

        init(_ list: DirectoryList) {
            path = list.path
            loop = list.loop
        }

        public mutating func next() async throws -> DirectoryEntry? {
            try await loop.pace()
            if let entry = batch.popFirst() { return entry }
            if isAtEnd { return nil }
            let directory = try await opened()
            batch = try await FileSystem.perform(.read(directory), on: loop)[...]
            isAtEnd = batch.isEmpty
            if isAtEnd { self.directory = nil }
            return batch.popFirst()
        }

        // As in TCPConnection's.
        public nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> DirectoryEntry?
        {
            try await next()
        }

        private mutating func opened() async throws -> DirectoryReader {
            if let directory { return directory }
            let opened = try await FileSystem.perform(.openDirectory(path), on: loop)
            directory = opened
            return opened
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
