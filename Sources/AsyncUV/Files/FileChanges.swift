public import UV

extension FileSystem {
    /// Watches a directory and all that is below it, or one file by its path, from now on.
    ///
    /// ```swift
    /// for try await change in try await FileSystem.changes(at: "Sources") { print(change) }
    /// ```
    ///
    /// Directories that appear are watched without a gap: what was in them before is told as well. Renamings come with both
    /// paths, a file that an editor saves in its way is one `.modified`. Symbolic links are not followed, but for one as the path
    /// itself, which is looked up once: where a link is replaced to change a file, watch the directory of the link. A file may be removed and made again. When changes come faster than they are taken, one `.overflow` stands for
    /// those that were lost: look at everything then. What is known of the watch's limits is said at `TreeWatcher`, in `UV`.
    ///
    /// - Parameter debounce: How long it has to be quiet before changes are told, at the most ten times as long after the first
    ///   one; of each path the outcome is told. With zero all is told at once, and what an editor does in several steps may be
    ///   several changes.
    /// - Parameter metadata: Whether changes of permissions, owner and times are told.
    /// - Parameter limit: How many changes wait for somebody to take them before they become one `.overflow`.
    /// - Parameter ignoring: Says which paths are of no interest, with all that is below them; they take no watches. Called on
    ///   any thread.
    /// - Parameter onProblem: Gets what keeps a directory from being watched, such as its permissions; the watch goes on
    ///   without it.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.permissionDenied`; `.noSpace` or `.tooManyOpenFiles` with the name of
    ///   the system's limit (`fs.inotify.max_user_watches`, `max_user_instances`); `.canceled` when the loop ends.
    ///
    /// Cancellation: nothing is watched.
    public static func changes(
        at path: FilePath, recursive: Bool = true, debounce: Duration = .milliseconds(50), metadata: Bool = false,
        limit: Int = 65_536, ignoring: (@Sendable (FilePath) -> Bool)? = nil,
        on loop: EventLoop = .current ?? .shared, onProblem: @escaping @Sendable (UVError) -> Void = { _ in }
    ) async throws -> FileChanges {
        var options = TreeWatcher.Options()
        options.isRecursive = recursive
        options.debounce = debounce
        options.includesMetadata = metadata
        options.limit = limit
        options.ignoring = ignoring
        return try await loop.perform("watch") { [options] core, wait in
            let changes = FileChangesCore(path, limit: limit)
            try changes.watch(options, on: core.loop, onProblem: onProblem) { result in
                // If nobody waits any more, the sequence closes itself.
                wait.finish(result.map { FileChanges(changes, path, on: loop) }.mapError { $0 })
            }
            wait.onCancel = { changes.close() }
        }
    }
}

/// What changes below a directory: see ``FileSystem/changes(at:recursive:debounce:metadata:limit:ignoring:on:onProblem:)``.
///
/// It ends when what is watched is removed or gets another name, which is told. With the last reference the watch ends. If several
/// tasks take changes, each change goes to one of them.
public final class FileChanges: AsyncSequence, Sendable {
    public typealias Element = FileChange

    /// What is watched, as it was given.
    public let path: FilePath
    private let loop: EventLoop
    private let core: LoopBound<FileChangesCore>

    fileprivate init(_ core: FileChangesCore, _ path: FilePath, on loop: EventLoop) {
        self.core = LoopBound(core)
        self.path = path
        self.loop = loop
    }

    deinit {
        let core = core
        let loop = loop
        if loop.isCurrent { core.open(on: loop).close() } else { loop.post { core.open(on: loop).close() } }
    }

    /// Waits for the next change; `nil` when there will be none.
    ///
    /// - Throws: `CancellationError`; ``UVError`` with `.noSpace` when a new directory cannot be watched, with the name of the
    ///   limit; `.canceled` when the loop ends.
    ///
    /// Cancellation: no change is lost.
    public func next() async throws -> FileChange? { try await take(1).first }

    /// Waits for changes and takes all that are there, at least one; `nil` when there will be none. Otherwise as ``next()``.
    public func nextBatch() async throws -> [FileChange]? {
        let changes = try await take(.max)
        return changes.isEmpty ? nil : changes
    }

    private func take(_ most: Int) async throws -> [FileChange] {
        try await loop.pace()
        return try await loop.perform("wait for changes") { _, wait in
            self.core.open(on: self.loop).take(most, wait)
        }
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let changes: FileChanges

        public func next() async throws -> FileChange? { try await changes.next() }

        // As in TCPConnection's.
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> FileChange? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(changes: self) }
}
