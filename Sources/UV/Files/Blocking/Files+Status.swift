internal import CLibuv
internal import SystemPackage

/// What is known of files.
extension Files {
    static func status(of path: FilePath) throws(UVError) -> FileStatus {
        unsafe try fileCall("status", of: path.string) { raw in
            unsafe path.withPlatformString { unsafe uv_fs_stat(nil, raw, $0, nil) }
        } _: {
            unsafe FileStatus($0.pointee.statbuf)
        }
    }

    static func linkStatus(of path: FilePath) throws(UVError) -> FileStatus {
        unsafe try fileCall("status", of: path.string) { raw in
            unsafe path.withPlatformString { unsafe uv_fs_lstat(nil, raw, $0, nil) }
        } _: {
            unsafe FileStatus($0.pointee.statbuf)
        }
    }

    static func status(of file: FileDescriptor) throws(UVError) -> FileStatus {
        unsafe try fileCall("status", of: file.text) {
            unsafe uv_fs_fstat(nil, $0, file.rawValue, nil)
        } _: {
            unsafe FileStatus($0.pointee.statbuf)
        }
    }

    static func volume(of path: FilePath) throws(UVError) -> VolumeStatus {
        unsafe try fileCall("volume", of: path.string) { raw in
            unsafe path.withPlatformString { unsafe uv_fs_statfs(nil, raw, $0, nil) }
        } _: {
            unsafe VolumeStatus($0.pointee.ptr.assumingMemoryBound(to: uv_statfs_t.self).pointee)
        }
    }

    static func access(_ path: FilePath, _ wanted: FileAccess) throws(UVError) {
        unsafe try call("access", path) { unsafe uv_fs_access(nil, $0, $1, wanted.rawValue, nil) }
    }

    static func setPermissions(_ permissions: FilePermissions, of path: FilePath) throws(UVError) {
        unsafe try call("setPermissions", path) { unsafe uv_fs_chmod(nil, $0, $1, CInt(permissions.rawValue), nil) }
    }

    static func setPermissions(_ permissions: FilePermissions, of file: FileDescriptor) throws(UVError) {
        unsafe try fileCall("setPermissions", of: file.text) {
            unsafe uv_fs_fchmod(nil, $0, file.rawValue, CInt(permissions.rawValue), nil)
        }
    }

    static func setOwner(_ owner: FileOwner, of path: FilePath, followingLinks: Bool) throws(UVError) {
        unsafe try call("setOwner", path) {
            unsafe followingLinks
                ? uv_fs_chown(nil, $0, $1, owner.rawUser, owner.rawGroup, nil)
                : uv_fs_lchown(nil, $0, $1, owner.rawUser, owner.rawGroup, nil)
        }
    }

    static func setOwner(_ owner: FileOwner, of file: FileDescriptor) throws(UVError) {
        unsafe try fileCall("setOwner", of: file.text) {
            unsafe uv_fs_fchown(nil, $0, file.rawValue, owner.rawUser, owner.rawGroup, nil)
        }
    }

    static func setTimes(
        accessed: Duration, modified: Duration, of path: FilePath, followingLinks: Bool
    ) throws(UVError) {
        unsafe try call("setTimes", path) {
            unsafe followingLinks
                ? uv_fs_utime(nil, $0, $1, accessed.inSeconds, modified.inSeconds, nil)
                : uv_fs_lutime(nil, $0, $1, accessed.inSeconds, modified.inSeconds, nil)
        }
    }

    static func setTimes(accessed: Duration, modified: Duration, of file: FileDescriptor) throws(UVError) {
        unsafe try fileCall("setTimes", of: file.text) {
            unsafe uv_fs_futime(nil, $0, file.rawValue, accessed.inSeconds, modified.inSeconds, nil)
        }
    }
}

extension Duration {
    /// In the middle of its microsecond: libuv cuts off the rest of it, and the nearest number is often just below.
    fileprivate var inSeconds: Double {
        let (seconds, attoseconds) = components
        // Both have the same sign.
        let towardsMiddle = self < .zero ? -0.3 : 0.3
        return Double(seconds) + (Double(attoseconds / 1_000_000_000_000) + towardsMiddle) / 1_000_000
    }
}
