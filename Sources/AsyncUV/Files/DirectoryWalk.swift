internal import UV

/// See ``FileSystem/walk(_:on:onError:)``.
public struct DirectoryWalk: AsyncSequence, Sendable {
    /// Something below the directory where the walk began.
    public struct Element: Hashable, Sendable {
        /// Begins with the path that the walk was given.
        public var path: FilePath
        public var kind: FileKind
        /// How many directories lie between: 0 for what is directly in the first.
        public var depth: Int
    }

    let path: FilePath
    let loop: EventLoop
    let onError: @Sendable (FilePath, any Error) throws -> Void

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let walk: DirectoryWalk
        /// What is left of each directory on the way down, the next last.
        private var levels: [(path: FilePath, entries: [DirectoryEntry])] = []
        /// The directory to be read next.
        private var next: FilePath?

        init(_ walk: DirectoryWalk) {
            self.walk = walk
            next = walk.path
        }

        public mutating func next() async throws -> Element? {
            try await walk.loop.pace()
            if let directory = next.take() { try await enter(directory) }
            // In place: a level in a variable would be a second owner of its entries, which popLast would copy then.
            while let depth = levels.indices.last {
                guard let entry = levels[depth].entries.popLast() else {
                    levels.removeLast()
                    continue
                }
                let path = levels[depth].path.appending(entry.name)
                let kind = try await kind(of: entry, path)
                if kind == .directory { next = path }
                return Element(path: path, kind: kind, depth: depth)
            }
            return nil
        }

        // As in TCPConnection's.
        public nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> Element? {
            try await next()
        }

        private mutating func enter(_ directory: FilePath) async throws {
            do {
                let entries = try await DirectoryList(path: directory, loop: walk.loop).sorted()
                levels.append((directory, entries.reversed()))
            } catch let error as UVError where error.code != .canceled {
                try walk.onError(directory, error)
            }
        }

        /// Not every file system says it in the listing.
        private func kind(of entry: DirectoryEntry, _ path: FilePath) async throws -> FileKind {
            if entry.kind != .unknown { return entry.kind }
            let status = try? await FileSystem.status(of: path, followingLinks: false, on: walk.loop)
            return status?.kind ?? .unknown
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
