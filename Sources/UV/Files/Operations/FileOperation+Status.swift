internal import CLibuv
internal import CPlatform
public import SystemPackage
internal import UVPlatform

/// What is known of files.
extension FileOperation where Value == FileStatus {
    /// What the system knows of a file. Calls `uv_fs_stat`, `uv_fs_lstat`.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    public static func status(of path: FilePath, followingLinks: Bool = true) -> Self {
        unsafe call("status", path) {
            unsafe followingLinks ? uv_fs_stat(nil, $0, $1, nil) : uv_fs_lstat(nil, $0, $1, nil)
        } _: {
            unsafe FileStatus($0.pointee.statbuf)
        }
    }

    /// What the system knows of an open file. Calls `uv_fs_fstat`.
    public static func status(of file: FileDescriptor) -> Self {
        unsafe call("status", on: file) {
            unsafe uv_fs_fstat(nil, $0, $1, nil)
        } _: {
            unsafe FileStatus($0.pointee.statbuf)
        }
    }
}

extension FileOperation where Value == VolumeStatus {
    /// What the system knows of the volume that a file is on. Calls `uv_fs_statfs`.
    public static func volume(of path: FilePath) -> Self {
        unsafe call("volume", path) {
            unsafe uv_fs_statfs(nil, $0, $1, nil)
        } _: {
            unsafe VolumeStatus($0.pointee.ptr.assumingMemoryBound(to: uv_statfs_t.self).pointee)
        }
    }
}

extension FileOperation where Value == Void {
    /// Finds out whether the process may use a file so: success, or `.permissionDenied` and relatives. Calls `uv_fs_access`.
    ///
    /// It may have changed by the time of use: opening it is the better test.
    public static func checkAccess(to path: FilePath, for wanted: FileAccess) -> Self {
        unsafe call("checkAccess", path) { unsafe uv_fs_access(nil, $0, $1, wanted.rawValue, nil) }
    }

    /// Sets who may do what with a file. Calls `uv_fs_chmod`.
    public static func setPermissions(_ permissions: FilePermissions, of path: FilePath) -> Self {
        unsafe call("setPermissions", path) { unsafe uv_fs_chmod(nil, $0, $1, CInt(permissions.rawValue), nil) }
    }

    /// Sets who may do what with an open file. Calls `uv_fs_fchmod`.
    public static func setPermissions(_ permissions: FilePermissions, of file: FileDescriptor) -> Self {
        unsafe call("setPermissions", on: file) { unsafe uv_fs_fchmod(nil, $0, $1, CInt(permissions.rawValue), nil) }
    }

    /// Sets who owns a file. Calls `uv_fs_chown`, `uv_fs_lchown`.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    public static func setOwner(_ owner: FileOwner, of path: FilePath, followingLinks: Bool = true) -> Self {
        unsafe call("setOwner", path) {
            unsafe followingLinks
                ? uv_fs_chown(nil, $0, $1, owner.rawUser, owner.rawGroup, nil)
                : uv_fs_lchown(nil, $0, $1, owner.rawUser, owner.rawGroup, nil)
        }
    }

    /// Sets who owns an open file. Calls `uv_fs_fchown`.
    public static func setOwner(_ owner: FileOwner, of file: FileDescriptor) -> Self {
        unsafe call("setOwner", on: file) { unsafe uv_fs_fchown(nil, $0, $1, owner.rawUser, owner.rawGroup, nil) }
    }

    /// Sets a file's times, as exactly as its volume keeps them.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    ///
    /// Replaces `uv_fs_utime`, `uv_fs_lutime`: they take seconds as `double`, which has no room for nanoseconds.
    public static func setTimes(
        accessed: FileTime, modified: FileTime, of path: FilePath, followingLinks: Bool = true
    ) -> Self {
        Self("setTimes", path) { () throws(UVError) in
            let status = unsafe path.withPlatformString {
                unsafe cplatform_set_times(
                    AT_FDCWD, $0, followingLinks ? 0 : AT_SYMLINK_NOFOLLOW, accessed.raw, modified.raw)
            }
            try checkSystem(status, "setTimes", of: path.string)
        }
    }

    /// Sets an open file's times, as exactly as its volume keeps them.
    ///
    /// Replaces `uv_fs_futime`: it takes seconds as `double`, which has no room for nanoseconds.
    public static func setTimes(accessed: FileTime, modified: FileTime, of file: FileDescriptor) -> Self {
        Self("setTimes", on: file) { file throws(UVError) in
            let status = cplatform_set_times(file.rawValue, nil, 0, accessed.raw, modified.raw)
            try checkSystem(status, "setTimes", of: file.text)
        }
    }
}
