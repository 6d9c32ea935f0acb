internal import CPlatform
public import SystemPackage
internal import UVPlatform

/// Changes below an open directory. Otherwise as what is read there.
extension FileOperation where Value == Void {
    /// Makes a directory; the one that it is in must exist.
    ///
    /// - Parameter permissions: Less the process's mask.
    ///
    /// Replaces `uv_fs_mkdir`: it cannot stay below a directory.
    public static func makeDirectory(
        _ path: FilePath, below directory: FileDescriptor,
        permissions: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
    ) -> Self {
        unsafe change("makeDirectory", path, below: directory) { unsafe mkdirat($0, $1, permissions.rawValue) }
    }

    /// Removes a name of a file that is not a directory, and the file with its last name.
    ///
    /// Replaces `uv_fs_unlink`: it cannot stay below a directory.
    public static func removeFile(_ path: FilePath, below directory: FileDescriptor) -> Self {
        unsafe change("remove", path, below: directory) { unsafe unlinkat($0, $1, 0) }
    }

    /// Removes an empty directory.
    ///
    /// Replaces `uv_fs_rmdir`: it cannot stay below a directory.
    public static func removeDirectory(_ path: FilePath, below directory: FileDescriptor) -> Self {
        unsafe change("removeDirectory", path, below: directory) { unsafe unlinkat($0, $1, AT_REMOVEDIR) }
    }

    /// Gives a file a new name, in place of whatever has that name; both names are below the directory.
    ///
    /// Replaces `uv_fs_rename`: it cannot stay below a directory.
    public static func rename(_ path: FilePath, to new: FilePath, below directory: FileDescriptor) -> Self {
        unsafe change("rename", path, new, below: directory) { unsafe renameat($0, $1, $2, $3) }
    }

    /// Gives a file one more name on the same volume; both names are below the directory. A link gets one itself, not its target.
    ///
    /// Replaces `uv_fs_link`: it cannot stay below a directory.
    public static func link(_ path: FilePath, at new: FilePath, below directory: FileDescriptor) -> Self {
        unsafe change("link", path, new, below: directory) { unsafe linkat($0, $1, $2, $3, 0) }
    }

    /// Makes a name that points to another, which need not exist.
    ///
    /// - Parameter target: Taken as it is, wherever it leads; a relative one counts from the directory of the new name.
    ///
    /// Replaces `uv_fs_symlink`: it cannot stay below a directory.
    public static func symlink(to target: FilePath, at new: FilePath, below directory: FileDescriptor) -> Self {
        Self("symlink", fault("symlink", [target, new])) { subject in
            { (_: PoolRequest?) throws(UVError) in
                let text = "\(target) to \(subject ?? new)"
                try NamesBelow(directory).withParent(of: new, "symlink", text) { parent, name throws(UVError) in
                    let status = unsafe target.withPlatformString { target in
                        unsafe name.withPlatformString { unsafe symlinkat(target, parent, $0) }
                    }
                    try checkSystem(status, "symlink", of: text)
                }
            }
        }
    }

    /// Sets who may do what with a file.
    ///
    /// Replaces `uv_fs_chmod`: it cannot stay below a directory.
    public static func setPermissions(
        _ permissions: FilePermissions, of path: FilePath, below directory: FileDescriptor
    ) -> Self {
        below(directory, "setPermissions", path) { path, text throws(UVError) in
            let file = try NamesBelow(directory).find(path, "setPermissions", text)
            defer { try? file.close() }
            try checkSystem(
                cplatform_set_permissions_of_found(file.rawValue, permissions.rawValue), "setPermissions", of: text)
        }
    }

    /// Sets a file's times, as exactly as its volume keeps them.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    ///
    /// Replaces `uv_fs_utime`, `uv_fs_lutime`: they cannot stay below a directory.
    public static func setTimes(
        accessed: FileTime, modified: FileTime, of path: FilePath, below directory: FileDescriptor,
        followingLinks: Bool = true
    ) -> Self {
        below(directory, "setTimes", path) { path, text throws(UVError) in
            let names = NamesBelow(directory)
            if followingLinks {
                let file = try names.find(path, "setTimes", text)
                defer { try? file.close() }
                let status = cplatform_set_times_of_found(file.rawValue, accessed.raw, modified.raw)
                try checkSystem(status, "setTimes", of: text)
                return
            }
            try names.withParent(of: path, "setTimes", text) { parent, name throws(UVError) in
                let status = unsafe name.withPlatformString {
                    unsafe cplatform_set_times(parent, $0, AT_SYMLINK_NOFOLLOW, accessed.raw, modified.raw)
                }
                try checkSystem(status, "setTimes", of: text)
            }
        }
    }

    /// Gives a file new content, whole or not at all. Otherwise as ``FileOperation/writeFile(_:_:permissions:durably:)``; a link
    /// that leads out of the directory is `.improperLink`.
    ///
    /// Replaces `uv_fs_open`, `uv_fs_rename`: they cannot stay below a directory.
    public static func writeFile(
        _ path: FilePath, _ bytes: [UInt8], below directory: FileDescriptor, permissions: FilePermissions? = nil,
        durably: Bool = true
    ) -> Self {
        Self("writeFile", fault("writeFile", [path])) { subject in
            WholeWrite(
                subject ?? path, bytes, permissions: permissions, durably: durably, at: .path(path, below: directory)
            ).goOn
        }
    }

    private static func change(
        _ operation: StaticString, _ path: FilePath, below directory: FileDescriptor,
        _ call: @escaping @Sendable (_ parent: CInt, _ name: UnsafePointer<CChar>) -> CInt
    ) -> Self {
        below(directory, operation, path) { path, text throws(UVError) in
            try NamesBelow(directory).withParent(of: path, operation, text) { parent, name throws(UVError) in
                let status = unsafe name.withPlatformString { unsafe call(parent, $0) }
                try checkSystem(status, operation, of: text)
            }
        }
    }

    private static func change(
        _ operation: StaticString, _ path: FilePath, _ new: FilePath, below directory: FileDescriptor,
        _ call:
            @escaping @Sendable (
                _ parent: CInt, _ name: UnsafePointer<CChar>, _ newParent: CInt, _ newName: UnsafePointer<CChar>
            ) -> CInt
    ) -> Self {
        Self(operation, fault(operation, [path, new])) { subject in
            { (_: PoolRequest?) throws(UVError) in
                let (names, text) = (NamesBelow(directory), "\(subject ?? path) to \(new)")
                try names.withParent(of: path, operation, text) { from, old throws(UVError) in
                    try names.withParent(of: new, operation, text) { to, new throws(UVError) in
                        let status = unsafe old.withPlatformString { old in
                            unsafe new.withPlatformString { unsafe call(from, old, to, $0) }
                        }
                        try checkSystem(status, operation, of: text)
                    }
                }
            }
        }
    }
}

extension FileOperation where Value == FilePath {
    /// What a symbolic link points to, as it was given, wherever that is.
    ///
    /// Replaces `uv_fs_readlink`: it cannot stay below a directory.
    public static func readLink(_ path: FilePath, below directory: FileDescriptor) -> Self {
        below(directory, "readLink", path) { path, text throws(UVError) in
            try NamesBelow(directory).withParent(of: path, "readLink", text) { parent, name throws(UVError) in
                guard let target = NamesBelow.target(of: name, in: parent) else {
                    throw UVError(.lastSystemError, in: "readLink", of: text)
                }
                return target
            }
        }
    }
}
