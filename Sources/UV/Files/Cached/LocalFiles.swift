internal import CLibuv
internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// What a loop's thread does with files of local volumes, because a trip to the pool takes longer: calls that do not wait
/// there, and sending what is in memory. It is for the caller to know that the volume is local: see ``OpenedFile/isLocal``.
///
/// Where ``PageCache/isEnabled`` is false, all of it is for the pool.
package enum LocalFiles {
    /// Opens for reading what is below a directory of a local volume, if it can be found in memory.
    ///
    /// - Parameter name: For errors.
    /// - Returns: `nil` if the pool has to look. A file of another volume, which is mounted below the directory, is one of those.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory` when memory says so. Other errors are the pool's to find.
    package static func open(
        _ path: FilePath, below directory: FileDescriptor, options: FileDescriptor.OpenOptions,
        _ name: @autoclosure () -> FilePath
    ) throws(UVError) -> FileDescriptor? {
        // What changes something is for the pool.
        guard PageCache.isEnabled, options.subtracting([.directory, .noFollow]).isEmpty else { return nil }
        let file = unsafe path.withPlatformString {
            unsafe cplatform_open_cached_below(
                directory.rawValue, $0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | options.rawValue)
        }
        if file >= 0 { return FileDescriptor(rawValue: file) }
        guard errno == ENOENT, !path.isEmpty else { return nil }
        throw UVError(.noSuchFileOrDirectory, in: "open", of: name().string)
    }

    /// What the system knows of an open file.
    ///
    /// - Returns: `nil` if the pool has to ask.
    package static func status(of file: FileDescriptor) -> FileStatus? {
        PageCache.isEnabled ? try? Files.status(of: file, "") : nil
    }

    /// Closes a descriptor that was only read from.
    ///
    /// - Returns: False, and nothing is closed, if the pool has to do it: the end of a file without a name frees its blocks.
    package static func close(_ file: FileDescriptor) -> Bool {
        guard PageCache.isEnabled, cplatform_closes_at_once(file.rawValue) != 0 else { return false }
        _ = UVPlatform.close(file.rawValue)
        return true
    }

    /// Sends bytes of a file to a socket that does not block, if they are all in memory.
    ///
    /// - Parameter identity: The file's.
    /// - Returns: How many bytes were sent, 0 at the end of the file; `nil` if the pool has to send them.
    /// - Throws: ``UVError`` with `.resourceTemporarilyUnavailable` when the socket has no room, and other errors of either side.
    package static func send(
        from file: FileDescriptor, _ identity: FileIdentity, named path: FilePath, at offset: Int64, count: Int,
        to socket: FileDescriptor, on loop: Loop
    ) throws(UVError) -> Int? {
        guard PageCache.isEnabled else { return nil }
        var there = min(count, unsafe loop.recentPieces.count(of: identity, at: offset, now: loop.turnTime))
        if there == 0 {
            there = cplatform_count_cached(file.rawValue, off_t(offset), count)
            guard there >= 0 else {
                loop.cacheTally.missed()
                return nil
            }
            noteInMemory(there, of: identity, at: offset, on: loop)
        }
        loop.cacheTally.hit()
        if there == 0 { return 0 }
        return try FileOperation<Int>.send(from: file, at: offset, count: there, to: socket).named(path).run()
    }

    /// Remembers for a second that bytes of a file are in memory, because a thread has just sent them.
    package static func noteInMemory(_ count: Int, of file: FileIdentity, at offset: Int64, on loop: Loop) {
        unsafe loop.recentPieces.add(count, of: file, at: offset, now: loop.turnTime)
    }
}

extension Loop {
    /// The loop's time in milliseconds, which stands still during a turn.
    fileprivate var turnTime: UInt64 { unsafe uv_now(raw) }
}
