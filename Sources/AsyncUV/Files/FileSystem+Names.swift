internal import UV

extension FileSystem {
    /// Gives a file or directory a new name on the same volume. A file that has the new name is replaced: at any moment the name
    /// stands for one of the two files.
    ///
    /// - Throws: ``UVError`` with `.improperLink` between volumes.
    ///
    /// Cancellation and timeout: it may have happened.
    public static func rename(
        _ path: FilePath, to new: FilePath, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws {
        try await perform(.rename(path, to: new), of: path, within: timeout, on: loop)
    }

    /// Gives a file one more name on the same volume.
    ///
    /// - Throws: ``UVError`` with `.fileExists`, `.noSuchFileOrDirectory`, `.improperLink` for another volume.
    ///
    /// Cancellation and timeout: it may have happened.
    public static func link(
        _ path: FilePath, at new: FilePath, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws {
        try await perform(.link(path, at: new), of: path, within: timeout, on: loop)
    }

    /// Makes a name that points to another, which need not exist.
    ///
    /// - Parameter target: Taken as it is; a relative one counts from the directory of the new name.
    /// - Throws: ``UVError`` with `.fileExists`, `.noSuchFileOrDirectory` for the directory of the new name.
    ///
    /// Cancellation and timeout: it may have happened.
    public static func symlink(
        to target: FilePath, at new: FilePath, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws {
        try await perform(.symlink(to: target, at: new), of: new, within: timeout, on: loop)
    }

    /// What a symbolic link points to, as it was given.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for what is not a symbolic link.
    public static func readLink(
        _ path: FilePath, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> FilePath {
        try await perform(.readLink(path), of: path, within: timeout, on: loop)
    }

    /// The absolute path of an existing file, without symbolic links and dots.
    ///
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.tooManySymbolicLinkLevels`.
    ///
    /// Cancellation and timeout: the task goes on at once.
    public static func realPath(
        of path: FilePath, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> FilePath {
        try await perform(.realPath(of: path), of: path, within: timeout, on: loop)
    }

    // MARK: Directories

    /// Makes a directory.
    ///
    /// - Parameter withIntermediates: Makes missing parent directories as well; a directory that exists is no error then.
    /// - Parameter permissions: Less the process's mask.
    /// - Throws: ``UVError`` with `.fileExists`.
    ///
    /// Cancellation and timeout: it may have happened, in part.
    public static func makeDirectory(
        _ path: FilePath, withIntermediates: Bool = false,
        permissions: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute],
        timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws {
        try await perform(
            withIntermediates
                ? .makeDirectories(path, permissions: permissions) : .makeDirectory(path, permissions: permissions),
            of: path, within: timeout, on: loop)
    }

    /// Makes a directory with a new name, for its owner only. It stays until somebody removes it.
    ///
    /// - Parameter directory: Where; the system's place for temporary files if `nil`.
    /// - Parameter prefix: What the name begins with.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.permissionDenied`, `.invalidArgument` for a prefix with a slash.
    ///
    /// Cancellation and timeout: no directory is left.
    public static func makeTemporaryDirectory(
        in directory: FilePath? = nil, prefix: String = "tmp-", timeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared
    ) async throws -> FilePath {
        let start = try temporary(directory, prefix)
        return try await perform(
            .makeTemporaryDirectory(prefix: start), of: start, within: timeout, on: loop
        ) { path, loop in
            _ = try? FileRequest.start(.removeDirectory(path), on: loop) { _, _ in }
        }
    }

    /// Makes and opens a file with a new name, for its owner only. It stays until somebody removes it.
    ///
    /// - Parameter directory: Where; the system's place for temporary files if `nil`.
    /// - Parameter prefix: What the name begins with.
    ///
    /// Cancellation and timeout: no file is left.
    public static func makeTemporaryFile(
        in directory: FilePath? = nil, prefix: String = "tmp-", timeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared
    ) async throws -> File {
        let start = try temporary(directory, prefix)
        // It becomes a file on the spot, which closes itself when nobody waits any more, or the loop ends.
        return try await perform(
            "makeTemporaryFile", of: start, within: timeout, on: loop
        ) { (file: File, loop) in
            _ = try? FileRequest.start(.removeFile(file.path), on: loop) { _, _ in }
        } _: { callbackLoop, onDone in
            try FileRequest.start(.makeTemporaryFile(prefix: start), on: callbackLoop) { request, result in
                onDone(
                    request,
                    result.map { made in
                        File(FileCore(made.file, made.path, on: request.loop), made.path, on: loop)
                    })
            }
        }
    }

    private static func temporary(_ directory: FilePath?, _ prefix: String) throws(UVError) -> FilePath {
        let prefix = try FilePath(validating: prefix)
        guard prefix.isRelative, prefix.components.count == 1, let name = prefix.lastComponent else {
            throw UVError(.invalidArgument, in: "prefix", of: prefix.string)
        }
        return (directory ?? .systemTemporaryDirectory).appending(name)
    }

    /// The entries of a directory in the file system's order, without `.` and `..`.
    ///
    /// They are read in batches, as they are taken. An entry that appears or disappears meanwhile may be listed or not.
    public static func entries(of path: FilePath, on loop: EventLoop = .current ?? .shared) -> DirectoryList {
        DirectoryList(path: path, loop: loop)
    }

    /// All entries of a directory and of the directories below it: each directory before its content, sorted by name. Symbolic
    /// links are not followed, not even one that takes a directory's place during the walk. Paths may become longer than the
    /// 4,096 bytes that Linux takes in one call.
    ///
    /// - Parameter onError: Gets what kept a directory from being read; it may throw to end the walk, as it does by
    ///   default, or return to leave that directory out.
    public static func walk(
        _ path: FilePath, on loop: EventLoop = .current ?? .shared,
        onError: @escaping @Sendable (FilePath, any Error) throws -> Void = { throw $1 }
    ) -> DirectoryWalk {
        DirectoryWalk(path: path, loop: loop, onError: onError)
    }
}
