internal import CLibuv
internal import CPlatform
public import SystemPackage
internal import UVPlatform

/// Names in directories.
extension FileOperation where Value == Void {
    /// Gives a file a new name, in place of whatever has that name: at any moment the name stands for one of the two.
    ///
    /// Between volumes it is `.improperLink`. Calls `uv_fs_rename`.
    public static func rename(_ path: FilePath, to new: FilePath) -> Self {
        unsafe call("rename", path, new) { unsafe uv_fs_rename(nil, $0, $1, $2, nil) }
    }

    /// As ``rename(_:to:)``, but `.fileExists` where it would replace something.
    static func rename(_ path: FilePath, toFree new: FilePath) -> Self {
        Self("rename", path, new) { () throws(UVError) in
            let status = unsafe path.withPlatformString { path in
                unsafe new.withPlatformString { unsafe cplatform_rename_to_free_name(path, $0) }
            }
            try checkSystem(status, "rename", of: "\(path) to \(new)")
        }
    }

    /// Gives a file one more name on the same volume. Calls `uv_fs_link`.
    public static func link(_ path: FilePath, at new: FilePath) -> Self {
        unsafe call("link", path, new) { unsafe uv_fs_link(nil, $0, $1, $2, nil) }
    }

    /// Makes a name that points to another, which need not exist. Calls `uv_fs_symlink`.
    ///
    /// - Parameter target: Taken as it is; a relative one counts from the directory of the new name.
    public static func symlink(to target: FilePath, at new: FilePath) -> Self {
        unsafe call("symlink", target, new) { unsafe uv_fs_symlink(nil, $0, $1, $2, 0, nil) }
    }

    /// Removes a name of a file that is not a directory, and the file with its last name. Calls `uv_fs_unlink`.
    public static func removeFile(_ path: FilePath) -> Self {
        unsafe call("remove", path) { unsafe uv_fs_unlink(nil, $0, $1, nil) }
    }

    /// Makes a directory; the one that it is in must exist. Calls `uv_fs_mkdir`.
    ///
    /// - Parameter permissions: Less the process's mask.
    public static func makeDirectory(
        _ path: FilePath, permissions: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
    ) -> Self {
        unsafe call("makeDirectory", path) { unsafe uv_fs_mkdir(nil, $0, $1, CInt(permissions.rawValue), nil) }
    }

    /// Makes a directory and those that it is in, as far as they are missing; one that is there already is fine.
    ///
    /// Calls `uv_fs_mkdir`, `uv_fs_stat`.
    public static func makeDirectories(
        _ path: FilePath, permissions: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
    ) -> Self {
        Self("makeDirectory", path) { () throws(UVError) in
            do throws(UVError) { try makeMissingDirectory(path, permissions) } catch
                where error.code == .noSuchFileOrDirectory
            {
                let parent = path.removingLastComponent()
                guard !parent.isEmpty, parent != path else { throw error }
                try makeDirectories(parent, permissions: permissions).run()
                try makeMissingDirectory(path, permissions)
            }
        }
    }

    /// Somebody else may make it at the same time.
    private static func makeMissingDirectory(_ path: FilePath, _ permissions: FilePermissions) throws(UVError) {
        do throws(UVError) { try makeDirectory(path, permissions: permissions).run() } catch
            where error.code == .fileExists
        {
            if (try? FileOperation<FileStatus>.status(of: path).run())?.kind != .directory { throw error }
        }
    }

    /// Removes an empty directory. Calls `uv_fs_rmdir`.
    public static func removeDirectory(_ path: FilePath) -> Self {
        unsafe call("removeDirectory", path) { unsafe uv_fs_rmdir(nil, $0, $1, nil) }
    }
}

extension FileOperation where Value == FilePath {
    /// What a symbolic link points to, as it was given. Calls `uv_fs_readlink`.
    public static func readLink(_ path: FilePath) -> Self {
        unsafe call("readLink", path) {
            unsafe uv_fs_readlink(nil, $0, $1, nil)
        } _: {
            unsafe resultPath($0)
        }
    }

    /// The absolute path of an existing file, without symbolic links and dots. Calls `uv_fs_realpath`.
    public static func realPath(of path: FilePath) -> Self {
        unsafe call("resolve", path) {
            unsafe uv_fs_realpath(nil, $0, $1, nil)
        } _: {
            unsafe resultPath($0)
        }
    }

    private static func resultPath(_ raw: UnsafeMutablePointer<uv_fs_t>) -> FilePath {
        unsafe FilePath(platformString: raw.pointee.ptr.assumingMemoryBound(to: CChar.self))
    }

    /// Makes a directory with a new name, for its owner only. Calls `uv_fs_mkdtemp`.
    ///
    /// - Parameter prefix: The path up to six characters that make it new.
    public static func makeTemporaryDirectory(prefix: FilePath) -> Self {
        unsafe call("makeTemporaryDirectory", prefix.isEmpty ? prefix : prefix.appendingText("XXXXXX")) {
            unsafe uv_fs_mkdtemp(nil, $0, $1, nil)
        } _: {
            unsafe FilePath(platformString: $0.pointee.path)
        }
    }
}

extension FileOperation where Value == (path: FilePath, file: FileDescriptor) {
    /// Makes and opens a file with a new name, for its owner only. Calls `uv_fs_mkstemp`.
    ///
    /// - Parameter prefix: The path up to six characters that make it new.
    public static func makeTemporaryFile(prefix: FilePath) -> Self {
        unsafe call("makeTemporaryFile", prefix.isEmpty ? prefix : prefix.appendingText("XXXXXX")) {
            unsafe uv_fs_mkstemp(nil, $0, $1, nil)
        } _: {
            unsafe (FilePath(platformString: $0.pointee.path), FileDescriptor(rawValue: CInt($0.pointee.result)))
        }
    }
}

extension FileOperation where Value == [DirectoryEntry] {
    /// The entries of a directory without `.` and `..`, sorted by name. Calls `uv_fs_scandir`.
    ///
    /// For directories that may be huge there is ``FileOperation/openDirectory(_:)``.
    public static func entries(of path: FilePath) -> Self {
        // Iterated to the end: libuv 1.44.2 leaks what is left when a listing is given up early.
        unsafe call("entries", path) {
            unsafe uv_fs_scandir(nil, $0, $1, 0, nil)
        } _: { raw in
            var entries: [DirectoryEntry] = []
            unsafe entries.reserveCapacity(raw.pointee.result)
            var entry = unsafe uv_dirent_t()
            while unsafe uv_fs_scandir_next(raw, &entry) == 0 {
                if let entry = unsafe DirectoryEntry(entry) { entries.append(entry) }
            }
            return entries
        }
    }
}
