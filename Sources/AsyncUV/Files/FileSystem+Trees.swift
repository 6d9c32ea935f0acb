public import UV

/// Files and directories with all that is in them. Each trip to the pool does one batch, so that a large tree leaves room for
/// other requests and can be cancelled at any time.
extension FileSystem {
    /// Copies a file, or a directory with all that is in it.
    ///
    /// Permissions are kept, blocks are shared where the file system can, holes stay holes. A file's copy is made beside
    /// the destination and renamed: whole or not at all. In trees times of last change are kept, symbolic links are
    /// copied as links and never followed; hard links become separate files.
    ///
    /// If the source itself is a symbolic link, its target is copied, as by `cp -r -H`. The destination is the name of the copy,
    /// never a directory to copy into.
    ///
    /// - Parameter isReplacing: Whether a file at the destination is replaced; else it is `.fileExists`, as it is for trees in
    ///   any case.
    /// - Parameter onProgress: Called after each batch.
    /// - Returns: How much was copied.
    /// - Throws: ``UVError`` with the path that it happened to; `.isDirectory` for a file onto a directory, `.notSupported` for
    ///   sockets and devices, `.invalidArgument` for a tree into itself.
    ///
    /// Cancellation, timeout, and any error: the destination of a file is as it was, or complete. The destination of a tree has
    /// what was copied until then.
    @discardableResult
    public static func copy(
        _ source: FilePath, to destination: FilePath, isReplacing: Bool = true, timeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared, onProgress: (@Sendable (TreeRequest.Progress) -> Void)? = nil
    ) async throws -> TreeRequest.Progress {
        let time = TimeLeft(timeout)
        do {
            let bytes = try await copyFile(source, to: destination, isReplacing, timeout, on: loop, onProgress)
            return TreeRequest.Progress(entries: 1, bytes: bytes, path: source)
        } catch let error as UVError where error.code == .isDirectory {
            // It may be the destination.
            guard let root = try await directory(source, time, on: loop) else { throw error }
            return try await copyTree(root, to: destination, time, on: loop, onProgress)
        }
    }

    /// A directory's path, without a link in its last place; `nil` for other kinds of files.
    private static func directory(
        _ path: FilePath, _ time: TimeLeft, on loop: EventLoop
    ) async throws -> FilePath? {
        do {
            let own = try await status(of: path, followingLinks: false, timeout: time.left, on: loop)
            if own.kind == .directory { return path }
            let target = try await realPath(of: path, timeout: time.left, on: loop)
            return try await status(of: target, timeout: time.left, on: loop).kind == .directory ? target : nil
        } catch let error as UVError { throw UVError(error.code, in: "copy", of: error.subject) }
    }

    /// Gives a file or directory a new name. On another volume it is copied with permissions and times, the copy takes the name,
    /// and the original is removed.
    ///
    /// What is at the destination is replaced if it is a file, or an empty directory by a directory.
    ///
    /// - Parameter onProgress: Called after each batch that is copied.
    ///
    /// Cancellation and timeout: one of the two names stands for all of it. Between volumes the old name may be left with a part as
    /// well, and a timeout does not count while the copy takes the name.
    public static func move(
        _ path: FilePath, to new: FilePath, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared,
        onProgress: (@Sendable (TreeRequest.Progress) -> Void)? = nil
    ) async throws {
        let time = TimeLeft(timeout)
        do { return try await rename(path, to: new, timeout: timeout, on: loop) } catch let error as UVError
            where error.code == .improperLink
        {
            let temporary = new.removingLastComponent().appending(
                ".swift-uv-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
            try await copyTree(path, to: temporary, time, removesRest: true, on: loop, onProgress)
            // Not to be cancelled: nobody would know which name it has.
            try await loop.spawn {
                do { try await rename(temporary, to: new, on: loop) } catch {
                    try? await remove(temporary, on: loop)
                    throw error
                }
            }.value
            try await remove(path, timeout: time.left, on: loop)
        }
    }

    /// Removes a file, a symbolic link, or a directory with all that is in it. Links are removed, not followed. Nothing outside of
    /// the tree is touched, whatever other processes do to the tree meanwhile.
    ///
    /// - Parameter onProgress: Called after each batch.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.invalidArgument` for the root directory and for paths that end
    ///   with `.` or `..`.
    ///
    /// Cancellation, timeout, and any error: the rest is still there.
    public static func remove(
        _ path: FilePath, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared,
        onProgress: (@Sendable (TreeRequest.Progress) -> Void)? = nil
    ) async throws {
        let _: TreeRequest.Progress = try await loop.perform("remove", of: path.string, within: timeout) {
            core, pending in
            let request = try TreeRequest.remove(path, on: core.loop, onProgress: told(onProgress)) { _, result in
                pending.finish(result.mapError { $0 })
            }
            pending.onCancel = { try? request.cancel() }
        }
    }

    // MARK: Inside

    private static func copyFile(
        _ source: FilePath, to destination: FilePath, _ isReplacing: Bool, _ timeout: Duration?, on loop: EventLoop,
        _ onProgress: (@Sendable (TreeRequest.Progress) -> Void)?
    ) async throws -> Int64 {
        try await perform("copy", of: source, within: timeout, on: loop) { callbackLoop, onDone in
            try FileRequest.copy(
                source, to: destination, isReplacing: isReplacing, on: callbackLoop,
                onProgress: onProgress.map { call in
                    { call(TreeRequest.Progress(entries: 0, bytes: $1, path: source)) }
                }, onDone: onDone)
        }
    }

    /// - Parameter removesRest: Whether nothing is left after an error or a cancellation.
    @discardableResult
    private static func copyTree(
        _ source: FilePath, to destination: FilePath, _ time: TimeLeft, removesRest: Bool = false,
        on loop: EventLoop, _ onProgress: (@Sendable (TreeRequest.Progress) -> Void)?
    ) async throws -> TreeRequest.Progress {
        try await loop.perform("copy", of: source.string, within: time.left) { core, pending in
            let request = try TreeRequest.copy(
                source, to: destination, on: core.loop, onProgress: told(onProgress)
            ) { request, result in
                let isWanted = pending.finish(result.mapError { $0 })
                // Only now does nobody write there any more.
                if removesRest, !isWanted || (try? result.get()) == nil {
                    _ = try? TreeRequest.remove(destination, on: request.loop) { _, _ in }
                }
            }
            pending.onCancel = { try? request.cancel() }
        }
    }

    private static func told(
        _ onProgress: (@Sendable (TreeRequest.Progress) -> Void)?
    ) -> ((TreeRequest, TreeRequest.Progress) -> Void)? {
        onProgress.map { call in { call($1) } }
    }
}
