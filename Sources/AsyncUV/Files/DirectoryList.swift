internal import UV

/// See ``FileSystem/list(_:on:)``.
public struct DirectoryList: AsyncSequence, Sendable {
    public typealias Element = DirectoryEntry
    let path: FilePath
    let loop: EventLoop

    /// All entries, sorted by the bytes of their names.
    ///
    /// - Throws: What the sequence throws.
    public func sorted() async throws -> [DirectoryEntry] {
        try await FileSystem.perform("list", on: loop) { try FileRequest.entries(of: path, on: $0, onDone: $1) }
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let path: FilePath
        private let loop: EventLoop
        private var batch: ArraySlice<DirectoryEntry> = []
        private var directory: LoopBound<OpenDirectory>?
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
            batch = try await loop.perform("list") { [loop] core, pending in
                let request = try directory.open(on: loop).read(on: core.loop) { result in
                    pending.finish(result.map { ArraySlice($0) }.mapError { $0 })
                }
                pending.onCancel = { try? request.cancel() }
            }
            isAtEnd = batch.isEmpty
            if isAtEnd { self.directory = nil }
            return batch.popFirst()
        }

        // As in TCPConnection's.
        public nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> DirectoryEntry?
        {
            try await next()
        }

        private mutating func opened() async throws -> LoopBound<OpenDirectory> {
            if let directory { return directory }
            let opened: LoopBound<OpenDirectory> = try await loop.perform("list") { [path] core, pending in
                let request = try DirectoryRequest.open(path, on: core.loop) { _, result in
                    pending.finish(result.map { LoopBound(OpenDirectory($0)) }.mapError { $0 })
                }
                pending.onCancel = { try? request.cancel() }
            }
            directory = opened
            return opened
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// A directory that is being listed. With the last reference the system's descriptor is closed, which does not block.
private final class OpenDirectory {
    private let directory: DirectoryRequest.Directory

    init(_ directory: DirectoryRequest.Directory) { self.directory = directory }

    func read(
        on loop: Loop, _ onDone: @escaping (Result<[DirectoryEntry], UVError>) -> Void
    ) throws -> DirectoryRequest {
        try DirectoryRequest.read(directory, on: loop) { _, result in onDone(result) }
    }
}
