public import UV

/// An open directory, for what is below it: a site that is served, an archive that is unpacked. A path cannot lead out of it,
/// whatever others exchange for symbolic links meanwhile: absolute paths, absolute links and `..` too far up are ``UVError``
/// with `.improperLink`. Other links are followed. Renaming the directory changes nothing. Dropping the last reference
/// closes it.
///
/// A path counts from the directory; `.` is the directory itself. On a volume of this machine, what is in memory is opened at
/// once, without a thread, and so are the files' `status()` and `close()`; all else is done as by ``FileSystem``, in one trip to
/// the thread pool.
///
/// Errors are ``UVError`` with the whole path, as of ``File`` and ``FileSystem``. Cancellation and timeout as there.
public final class Directory: Sendable {
    private let file: File

    /// The path it was opened with.
    public var path: FilePath { file.path }
    /// The loop that the directory lives on.
    public var loop: EventLoop { file.loop }

    private init(_ file: File) { self.file = file }

    // MARK: Opening and closing

    /// Opens a directory. Links on the way to it are followed, wherever they lead.
    ///
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.notDirectory`, `.permissionDenied`, ….
    public static func open(
        _ path: FilePath, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> Directory {
        let time = TimeLeft(timeout)
        let file = try await File.open(path, options: .directory, timeout: timeout, on: loop)
        _ = try await file.look(within: time.left)
        return Directory(file)
    }

    /// Closes the directory when what is under way has ended. Files that were opened below it stay open. Otherwise as
    /// ``File/close()``.
    public func close() async throws { try await file.close() }

    /// Opens a file or directory. Otherwise as ``File/open(_:_:options:permissions:timeout:on:)``.
    ///
    /// - Throws: ``UVError`` with `.improperLink` for what leads out of the directory, `.badFileDescriptor` when that is closed.
    public func open(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode = .readOnly, options: FileDescriptor.OpenOptions = [],
        permissions: FilePermissions? = nil, timeout: Duration? = nil
    ) async throws -> File {
        guard loop.isCurrent else {
            return try await loop.hop {
                try await self.open(path, mode, options: options, permissions: permissions, timeout: timeout)
            }
        }
        try checkCancellation()
        let core = file.core.open(on: loop)
        if mode == .readOnly, let found = try core.openNow(path, options: options) {
            let opened = File(found, found.path, on: loop)
            if loop.charge(Cost.opening) { await loop.giveWay() }
            return opened
        }
        let (whole, loop) = (whole(path), loop)
        return try await file.use("open", of: whole, within: timeout) {
            [descriptor = file.descriptor] callbackLoop, onDone in
            let operation = FileOperation.open(
                path, below: descriptor, mode, options: options, permissions: permissions)
            return try FileRequest.start(operation.named(whole), on: callbackLoop) { request, result in
                // If nobody waits any more, the file closes itself.
                let file = result.map { opened in
                    File(
                        FileCore(
                            opened.descriptor, whole, isReadOnly: mode == .readOnly, isLocal: opened.isLocal,
                            on: callbackLoop), whole, on: loop)
                }
                onDone(request, file)
            }
        }
    }

    /// Opens a directory below this one. What is opened below it cannot lead out of it, either.
    ///
    /// - Throws: As ``open(_:_:options:permissions:timeout:)``, and `.notDirectory`.
    ///
    /// Cancellation and timeout: the task goes on at once.
    public func openDirectory(_ path: FilePath, timeout: Duration? = nil) async throws -> Directory {
        Directory(try await open(path, options: .directory, timeout: timeout))
    }

    // MARK: What is there

    /// What the system knows of a file.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.improperLink` for what leads out.
    ///
    /// Cancellation and timeout: the task goes on at once.
    public func status(
        of path: FilePath, followingLinks: Bool = true, timeout: Duration? = nil
    ) async throws -> FileStatus {
        try await perform(.status(of: path, below: file.descriptor, followingLinks: followingLinks), path, timeout)
    }

    /// The entries of a directory without `.` and `..`, in the file system's order. All are in memory at once: of strangers'
    /// directories take a limited number.
    ///
    /// - Parameter limit: The most entries; more are left out.
    /// - Throws: ``UVError`` with `.notDirectory`, `.improperLink` for what leads out.
    ///
    /// Cancellation and timeout: the task goes on at once.
    public func entries(
        of path: FilePath = ".", upTo limit: Int = .max, timeout: Duration? = nil
    ) async throws -> [DirectoryEntry] {
        try await perform(.entries(of: path, below: file.descriptor, upTo: limit), path, timeout)
    }

    /// Reads a file from its start to its end. Otherwise as ``FileSystem/readFile(_:limit:timeout:on:)``.
    public func readFile(
        _ path: FilePath, limit: Int = 64 << 20, timeout: Duration? = nil
    ) async throws -> [UInt8] {
        try await perform(.readFile(path, below: file.descriptor, limit: limit), path, timeout)
    }

    /// What a symbolic link points to, as it was given: it may lead out of the directory.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for what is not a symbolic link.
    public func readLink(_ path: FilePath, timeout: Duration? = nil) async throws -> FilePath {
        try await perform(.readLink(path, below: file.descriptor), path, timeout)
    }

    // MARK: Changes

    /// Gives a file new content, whole or not at all. A link stays, and its target is replaced, if that is below the directory.
    /// Otherwise as ``FileSystem/writeFile(_:_:permissions:durably:timeout:on:)``.
    public func writeFile(
        _ path: FilePath, _ bytes: [UInt8], permissions: FilePermissions? = nil, durably: Bool = true,
        timeout: Duration? = nil
    ) async throws {
        try await perform(
            .writeFile(path, bytes, below: file.descriptor, permissions: permissions, durably: durably), path, timeout)
    }

    /// Makes a directory; the one that it is in must exist.
    ///
    /// - Parameter permissions: Less the process's mask.
    /// - Throws: ``UVError`` with `.fileExists`.
    ///
    /// Cancellation and timeout: it may have happened.
    public func makeDirectory(
        _ path: FilePath,
        permissions: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute],
        timeout: Duration? = nil
    ) async throws {
        try await perform(.makeDirectory(path, below: file.descriptor, permissions: permissions), path, timeout)
    }

    /// Removes a name of a file that is not a directory, and the file with its last name. A link is removed, not its target.
    ///
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.isDirectory`, `.improperLink` for a directory that leads out.
    ///
    /// Cancellation and timeout: it may have happened.
    public func removeFile(_ path: FilePath, timeout: Duration? = nil) async throws {
        try await perform(.removeFile(path, below: file.descriptor), path, timeout)
    }

    /// Removes an empty directory.
    ///
    /// - Throws: ``UVError`` with `.directoryNotEmpty`.
    ///
    /// Cancellation and timeout: it may have happened.
    public func removeDirectory(_ path: FilePath, timeout: Duration? = nil) async throws {
        try await perform(.removeDirectory(path, below: file.descriptor), path, timeout)
    }

    /// Gives a file or directory a new name below this directory. Otherwise as ``FileSystem/rename(_:to:timeout:on:)``.
    public func rename(_ path: FilePath, to new: FilePath, timeout: Duration? = nil) async throws {
        try await perform(.rename(path, to: new, below: file.descriptor), path, timeout)
    }

    /// Gives a file one more name below this directory, on the same volume. A link gets one itself, not its target.
    ///
    /// - Throws: ``UVError`` with `.fileExists`, `.noSuchFileOrDirectory`, `.improperLink` for what leads out.
    ///
    /// Cancellation and timeout: it may have happened.
    public func link(_ path: FilePath, at new: FilePath, timeout: Duration? = nil) async throws {
        try await perform(.link(path, at: new, below: file.descriptor), path, timeout)
    }

    /// Makes a name that points to another, which need not exist.
    ///
    /// - Parameter target: Taken as it is; a relative one counts from the directory of the new name. It may lead out of this
    ///   directory, whose calls do not follow it then; other programs do.
    /// - Throws: ``UVError`` with `.fileExists`, `.improperLink` for a directory that leads out.
    ///
    /// Cancellation and timeout: it may have happened.
    public func symlink(to target: FilePath, at new: FilePath, timeout: Duration? = nil) async throws {
        try await perform(.symlink(to: target, at: new, below: file.descriptor), new, timeout)
    }

    /// Sets who may do what with a file.
    ///
    /// - Throws: ``UVError`` with `.notPermitted` for a file of somebody else, `.improperLink` for what leads out.
    ///
    /// Cancellation and timeout: it may have happened.
    public func setPermissions(
        _ permissions: FilePermissions, of path: FilePath, timeout: Duration? = nil
    ) async throws {
        try await perform(.setPermissions(permissions, of: path, below: file.descriptor), path, timeout)
    }

    /// Sets a file's times, as exactly as its volume keeps them.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    /// - Throws: ``UVError`` with `.notPermitted` for a file of somebody else, `.improperLink` for what leads out.
    ///
    /// Cancellation and timeout: it may have happened.
    public func setTimes(
        accessed: FileTime, modified: FileTime, of path: FilePath, followingLinks: Bool = true,
        timeout: Duration? = nil
    ) async throws {
        try await perform(
            .setTimes(
                accessed: accessed, modified: modified, of: path, below: file.descriptor,
                followingLinks: followingLinks), path, timeout)
    }

    // MARK: Inside

    /// For errors.
    private func whole(_ path: FilePath) -> FilePath { file.path.appending(path.components) }

    private func perform<Value: Sendable>(
        _ operation: FileOperation<Value>, _ path: FilePath, _ timeout: Duration?
    ) async throws -> Value {
        let whole = whole(path)
        let operation = operation.named(whole)
        return try await file.use(operation.name, of: whole, within: timeout) {
            try FileRequest.start(operation, on: $0, onDone: $1)
        }
    }
}

extension Directory: CustomStringConvertible {
    /// For people: the path.
    public var description: String { path.string }
}
