public import UV

/// Files and directories by name. Everything runs in libuv's thread pool while the loop goes on. Whole files that the system has
/// in memory are read at once, on the loop.
///
/// Errors are ``UVError`` with the path: `.noSuchFileOrDirectory`, `.permissionDenied`, `.notDirectory`, …. A `FilePath` made
/// from a string ends at a NUL; strings from strangers become paths through `FilePath(validating:)`.
/// When the loop ends first it is `.canceled`.
///
/// Cancellation: the task goes on at once, with `CancellationError`. An operation that no thread has begun does not happen. One
/// that a thread has begun ends in the background, so a change may have happened, unless the function says otherwise.
///
/// Timeout: how long to wait, in the line for a thread too; `nil` for ever. When it is over, the call throws ``UVError`` with
/// `.timedOut` and the path; all else is as after a cancellation. What needs no thread is done whatever the timeout. Calls that
/// take many trips, such as ``copy(_:to:isReplacing:timeout:on:onProgress:)``, have one for all of them together.
public enum FileSystem {
    /// Whether files that the system has in memory are read on the loop's thread, for the whole process. Only the speed differs.
    public static var cachedFastPath: Bool {
        get { PageCache.isEnabled }
        set { PageCache.isEnabled = newValue }
    }

    /// How often reads asked for bytes in memory, and found them, in the whole process.
    public static var cacheCounters: PageCache.Counters { PageCache.counters }

    // MARK: Whole files

    /// Reads a file from its start to its end.
    ///
    /// A FIFO, a pipe or a terminal (`/dev/stdin`) ends when its last writer closes it; the wait for that takes no thread.
    ///
    /// - Parameter limit: A file with more bytes throws ``UVError`` with `.fileTooLarge`; 64 MiB by default. A file of more than
    ///   half of the machine's memory throws `.noMemory`, whatever the limit.
    ///
    /// Cancellation and timeout: a read that has begun goes on in the background, but waits for no pipe, and its bytes are dropped.
    public static func readFile(
        _ path: FilePath, limit: Int = 64 << 20, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> [UInt8] {
        guard loop.isCurrent else { return try await readFileElsewhere(path, limit, timeout, loop) }
        try checkCancellation()
        let callbackLoop = loop.core.open(on: loop).loop
        if let bytes = PageCache.readFile(path, limit: limit, on: callbackLoop) { return bytes }
        return try await perform(.readFile(path, limit: limit), of: path, within: timeout, on: loop)
    }

    /// Apart, so that the frames of the hop are not in everybody's.
    @inline(never)
    private static func readFileElsewhere(
        _ path: FilePath, _ limit: Int, _ timeout: Duration?, _ loop: EventLoop
    ) async throws -> [UInt8] {
        try await loop.hop { try await readFile(path, limit: limit, timeout: timeout, on: loop) }
    }

    /// Gives a file new content, whole or not at all: whoever opens the name gets the old bytes or the new ones, also after a
    /// crash. After an error the old bytes are there. The one exception is a disk that fails after the new content has taken the
    /// name: that is `.ioError`.
    ///
    /// The bytes are written to a new file in the same directory, which then takes the name. It gets the old file's permissions,
    /// and its owner where that is allowed. Other hard links keep the old content. A symbolic link stays, and its target is
    /// replaced.
    ///
    /// Some files cannot be replaced. They are written in place, as `>` of a shell does: devices, pipes and terminals, files that
    /// the system makes up (`/proc`, `/sys`), targets of links there (`/dev/stdout`), and mount points. The wait for room in a
    /// pipe, or for a FIFO's first reader, takes no thread. A pipe without a reader is `.brokenPipe`.
    ///
    /// - Parameter permissions: The permissions of a file that did not exist, less the process's mask. By default everybody may
    ///   read and write.
    /// - Parameter durably: Whether to return only when all bytes are on the disk.
    ///
    /// Cancellation and timeout: a write that has begun goes on in the background, whole or not at all. A pipe may have got some of
    /// the bytes.
    public static func writeFile(
        _ path: FilePath, _ bytes: [UInt8], permissions: FilePermissions? = nil, durably: Bool = true,
        timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws {
        try await perform(
            .writeFile(path, bytes, permissions: permissions, durably: durably), of: path, within: timeout, on: loop)
    }

    // MARK: Status

    /// What the system knows of a file.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.permissionDenied` for a directory on the way, `.notDirectory`.
    ///
    /// Cancellation and timeout: the task goes on at once.
    public static func status(
        of path: FilePath, followingLinks: Bool = true, timeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared
    ) async throws -> FileStatus {
        try await perform(
            .status(of: path, followingLinks: followingLinks), of: path, within: timeout, on: loop)
    }

    /// Whether there is a file or directory; false for a symbolic link to nothing.
    ///
    /// - Throws: ``UVError`` when that cannot be known, for example `.permissionDenied` for a directory on the way.
    public static func exists(_ path: FilePath, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared)
        async throws -> Bool
    {
        do {
            _ = try await status(of: path, timeout: timeout, on: loop)
            return true
        } catch let error as UVError where [.noSuchFileOrDirectory, .notDirectory].contains(error.code) {
            return false
        }
    }

    /// Finds out whether the process may use a file in some way. The answer may be out of date at once: opening the file is the
    /// better test.
    ///
    /// - Throws: ``UVError`` with `.permissionDenied` or `.readOnlyFileSystem` if not, `.noSuchFileOrDirectory`.
    public static func checkAccess(
        to path: FilePath, for wanted: FileAccess, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws {
        try await perform(.checkAccess(to: path, for: wanted), of: path, within: timeout, on: loop)
    }

    /// What the system knows of the volume that a file is on.
    ///
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.permissionDenied`.
    ///
    /// Cancellation and timeout: the task goes on at once.
    public static func volume(
        of path: FilePath, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> VolumeStatus {
        try await perform(.volume(of: path), of: path, within: timeout, on: loop)
    }

    /// Sets who may do what with a file.
    ///
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.notPermitted` for a file of somebody else.
    ///
    /// Cancellation and timeout: it may have happened.
    public static func setPermissions(
        _ permissions: FilePermissions, of path: FilePath, timeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared
    ) async throws {
        try await perform(.setPermissions(permissions, of: path), of: path, within: timeout, on: loop)
    }

    /// Sets who owns a file.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.notPermitted` unless the process is privileged.
    ///
    /// Cancellation and timeout: it may have happened.
    public static func setOwner(
        _ owner: FileOwner, of path: FilePath, followingLinks: Bool = true, timeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared
    ) async throws {
        try await perform(
            .setOwner(owner, of: path, followingLinks: followingLinks), of: path, within: timeout, on: loop)
    }

    /// Sets a file's times, as exactly as its volume keeps them.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.notPermitted` for a file of somebody else.
    ///
    /// Cancellation and timeout: it may have happened.
    public static func setTimes(
        accessed: FileTime, modified: FileTime, of path: FilePath, followingLinks: Bool = true,
        timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws {
        try await perform(
            .setTimes(accessed: accessed, modified: modified, of: path, followingLinks: followingLinks), of: path,
            within: timeout, on: loop)
    }

    // MARK: Inside

    /// Does an operation.
    ///
    /// - Parameter path: What it is done to, for the error of a timeout.
    /// - Parameter discard: Gets a result that came when nobody waited any more.
    static func perform<Value: Sendable>(
        _ operation: FileOperation<Value>, of path: FilePath? = nil, within timeout: Duration? = nil,
        on loop: EventLoop,
        discard: @escaping @Sendable (Value, Loop) -> Void = { _, _ in }
    ) async throws -> Value {
        try await perform(operation.name, of: path, within: timeout, on: loop, discard: discard) {
            try FileRequest.start(operation, on: $0, onDone: $1)
        }
    }

    static func perform<Value: Sendable>(
        _ operation: StaticString, of path: FilePath? = nil, within timeout: Duration? = nil, on loop: EventLoop,
        discard: @escaping @Sendable (Value, Loop) -> Void = { _, _ in },
        _ begin: @Sendable (Loop, @escaping FileRequest.Completion<Value>) throws -> FileRequest
    ) async throws -> Value {
        try await loop.perform(operation, of: path?.string, within: timeout) { core, wait in
            let request = try begin(core.loop) { request, result in
                let isWanted = wait.finish(result.mapError { $0 })
                if !isWanted, case .success(let value) = result { discard(value, request.loop) }
            }
            wait.onCancel = { try? request.cancel() }
        }
    }
}
