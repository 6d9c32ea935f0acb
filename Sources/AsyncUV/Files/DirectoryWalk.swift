internal import UV

/// All that is in a directory and below, as a sequence: see ``FileSystem/walk(_:on:onError:)``.
public struct DirectoryWalk: AsyncSequence, Sendable {
    public typealias Element = TreeEntry
    let path: FilePath
    let loop: EventLoop
    let onError: @Sendable (FilePath, any Error) throws -> Void

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let walk: DirectoryWalk
        private let tree: TreeWalk
        private var part = TreeWalk.Part()
        private var entries: ArraySlice<TreeEntry> = []

        init(_ walk: DirectoryWalk) {
            self.walk = walk
            tree = TreeWalk(walk.path)
        }

        public mutating func next() async throws -> Element? {
            try await walk.loop.pace()
            while true {
                if let entry = entries.popFirst() { return entry }
                if let (path, error) = part.problem.take() { try walk.onError(path, error) }
                if part.isLast { return nil }
                part = try await FileSystem.perform(.goOn(with: tree), on: walk.loop)
                entries = part.entries[...]
            }
        }

        // As in TCPConnection's.
        public nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> Element? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
