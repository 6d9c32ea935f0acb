public import SystemPackage

/// What is known of files.
extension FileRequest {
    /// What the system knows of a file; of a symbolic link's target. Calls `uv_fs_stat`.
    @discardableResult
    public static func status(
        of path: FilePath, on loop: Loop, onDone: @escaping Completion<FileStatus>
    ) throws(UVError) -> FileRequest {
        try check(path, "status")
        return try begin("status", on: loop, onDone) { () throws(UVError) in try Files.status(of: path) }
    }

    /// What the system knows of a file, of a symbolic link itself. Calls `uv_fs_lstat`.
    @discardableResult
    public static func linkStatus(
        of path: FilePath, on loop: Loop, onDone: @escaping Completion<FileStatus>
    ) throws(UVError) -> FileRequest {
        try check(path, "status")
        return try begin("status", on: loop, onDone) { () throws(UVError) in try Files.linkStatus(of: path) }
    }

    /// What the system knows of an open file. Calls `uv_fs_fstat`.
    @discardableResult
    public static func status(
        of file: FileDescriptor, on loop: Loop, onDone: @escaping Completion<FileStatus>
    ) throws(UVError) -> FileRequest {
        try begin("status", on: loop, onDone) { () throws(UVError) in try Files.status(of: file) }
    }

    /// What the system knows of the volume that a file is on. Calls `uv_fs_statfs`.
    @discardableResult
    public static func volume(
        of path: FilePath, on loop: Loop, onDone: @escaping Completion<VolumeStatus>
    ) throws(UVError) -> FileRequest {
        try check(path, "volume")
        return try begin("volume", on: loop, onDone) { () throws(UVError) in try Files.volume(of: path) }
    }

    /// Finds out whether the process may use a file so: success, or `.permissionDenied` and relatives. Calls `uv_fs_access`.
    ///
    /// It may have changed by the time of use: opening it is the better test.
    @discardableResult
    public static func access(
        _ path: FilePath, _ wanted: FileAccess, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "access")
        return try begin("access", on: loop, onDone) { () throws(UVError) in try Files.access(path, wanted) }
    }

    /// Sets who may do what with a file. Calls `uv_fs_chmod`.
    @discardableResult
    public static func setPermissions(
        _ permissions: FilePermissions, of path: FilePath, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "setPermissions")
        return try begin("setPermissions", on: loop, onDone) { () throws(UVError) in
            try Files.setPermissions(permissions, of: path)
        }
    }

    /// Sets who may do what with an open file. Calls `uv_fs_fchmod`.
    @discardableResult
    public static func setPermissions(
        _ permissions: FilePermissions, of file: FileDescriptor, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try begin("setPermissions", on: loop, onDone) { () throws(UVError) in
            try Files.setPermissions(permissions, of: file)
        }
    }

    /// Sets who owns a file. Calls `uv_fs_chown`, `uv_fs_lchown`.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    @discardableResult
    public static func setOwner(
        _ owner: FileOwner, of path: FilePath, followingLinks: Bool = true, on loop: Loop,
        onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "setOwner")
        return try begin("setOwner", on: loop, onDone) { () throws(UVError) in
            try Files.setOwner(owner, of: path, followingLinks: followingLinks)
        }
    }

    /// Sets who owns an open file. Calls `uv_fs_fchown`.
    @discardableResult
    public static func setOwner(
        _ owner: FileOwner, of file: FileDescriptor, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try begin("setOwner", on: loop, onDone) { () throws(UVError) in try Files.setOwner(owner, of: file) }
    }

    /// Sets a file's times, which count from the start of 1970, to the microsecond. Calls `uv_fs_utime`, `uv_fs_lutime`.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    @discardableResult
    public static func setTimes(
        accessed: Duration, modified: Duration, of path: FilePath, followingLinks: Bool = true, on loop: Loop,
        onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "setTimes")
        return try begin("setTimes", on: loop, onDone) { () throws(UVError) in
            try Files.setTimes(accessed: accessed, modified: modified, of: path, followingLinks: followingLinks)
        }
    }

    /// Sets an open file's times, which count from the start of 1970, to the microsecond. Calls `uv_fs_futime`.
    @discardableResult
    public static func setTimes(
        accessed: Duration, modified: Duration, of file: FileDescriptor, on loop: Loop,
        onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try begin("setTimes", on: loop, onDone) { () throws(UVError) in
            try Files.setTimes(accessed: accessed, modified: modified, of: file)
        }
    }
}
