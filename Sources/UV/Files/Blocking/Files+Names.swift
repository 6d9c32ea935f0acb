internal import CLibuv
internal import CPlatform
internal import SystemPackage

/// Names in directories.
extension Files {
    static func call(
        _ operation: StaticString, _ path: FilePath,
        _ perform: (UnsafeMutablePointer<uv_fs_t>, UnsafePointer<CChar>) -> CInt
    ) throws(UVError) {
        unsafe try fileCall(operation, of: path.string) { raw in
            unsafe path.withPlatformString { unsafe perform(raw, $0) }
        }
    }

    static func call(
        _ operation: StaticString, _ path: FilePath, _ other: FilePath,
        _ perform: (UnsafeMutablePointer<uv_fs_t>, UnsafePointer<CChar>, UnsafePointer<CChar>) -> CInt
    ) throws(UVError) {
        unsafe try fileCall(operation, of: "\(path) to \(other)") { raw in
            unsafe path.withPlatformString { path in unsafe other.withPlatformString { unsafe perform(raw, path, $0) } }
        }
    }

    static func rename(_ path: FilePath, to new: FilePath) throws(UVError) {
        unsafe try call("rename", path, new) { unsafe uv_fs_rename(nil, $0, $1, $2, nil) }
    }

    static func renameToFreeName(_ path: FilePath, to new: FilePath) throws(UVError) {
        let status = unsafe path.withPlatformString { path in
            unsafe new.withPlatformString { unsafe cplatform_rename_to_free_name(path, $0) }
        }
        try checkSystem(status, "rename", of: "\(path) to \(new)")
    }

    static func link(_ path: FilePath, to new: FilePath) throws(UVError) {
        unsafe try call("link", path, new) { unsafe uv_fs_link(nil, $0, $1, $2, nil) }
    }

    static func symlink(_ target: FilePath, at new: FilePath) throws(UVError) {
        unsafe try call("symlink", target, new) { unsafe uv_fs_symlink(nil, $0, $1, $2, 0, nil) }
    }

    static func unlink(_ path: FilePath) throws(UVError) {
        unsafe try call("remove", path) { unsafe uv_fs_unlink(nil, $0, $1, nil) }
    }

    static func makeDirectory(_ path: FilePath, _ permissions: FilePermissions) throws(UVError) {
        unsafe try call("makeDirectory", path) { unsafe uv_fs_mkdir(nil, $0, $1, CInt(permissions.rawValue), nil) }
    }

    static func makeDirectories(_ path: FilePath, _ permissions: FilePermissions) throws(UVError) {
        do throws(UVError) { try makeMissingDirectory(path, permissions) } catch
            where error.code == .noSuchFileOrDirectory
        {
            let parent = path.removingLastComponent()
            guard !parent.isEmpty, parent != path else { throw error }
            try makeDirectories(parent, permissions)
            try makeMissingDirectory(path, permissions)
        }
    }

    /// Somebody else may make it at the same time.
    private static func makeMissingDirectory(_ path: FilePath, _ permissions: FilePermissions) throws(UVError) {
        do throws(UVError) { try makeDirectory(path, permissions) } catch  where error.code == .fileExists {
            if (try? status(of: path))?.kind != .directory { throw error }
        }
    }

    static func removeDirectory(_ path: FilePath) throws(UVError) {
        unsafe try call("removeDirectory", path) { unsafe uv_fs_rmdir(nil, $0, $1, nil) }
    }

    static func makeTemporaryDirectory(_ template: FilePath) throws(UVError) -> FilePath {
        unsafe try fileCall("makeTemporaryDirectory", of: template.string) { raw in
            unsafe template.withPlatformString { unsafe uv_fs_mkdtemp(nil, raw, $0, nil) }
        } _: {
            unsafe FilePath(platformString: $0.pointee.path)
        }
    }

    static func makeTemporaryFile(_ template: FilePath) throws(UVError) -> (FilePath, FileDescriptor) {
        unsafe try fileCall("makeTemporaryFile", of: template.string) { raw in
            unsafe template.withPlatformString { unsafe uv_fs_mkstemp(nil, raw, $0, nil) }
        } _: {
            unsafe (FilePath(platformString: $0.pointee.path), FileDescriptor(rawValue: CInt($0.pointee.result)))
        }
    }

    private static func pathResult(
        _ operation: StaticString, _ path: FilePath,
        _ perform: (UnsafeMutablePointer<uv_fs_t>, UnsafePointer<CChar>) -> CInt
    ) throws(UVError) -> FilePath {
        unsafe try fileCall(operation, of: path.string) { raw in
            unsafe path.withPlatformString { unsafe perform(raw, $0) }
        } _: {
            unsafe FilePath(platformString: $0.pointee.ptr.assumingMemoryBound(to: CChar.self))
        }
    }

    static func readLink(_ path: FilePath) throws(UVError) -> FilePath {
        unsafe try pathResult("readLink", path) { unsafe uv_fs_readlink(nil, $0, $1, nil) }
    }

    /// Where symbolic links lead to in the end: they stay, and what they point to is replaced, or made.
    ///
    /// - Returns: `nil` for what the system makes up, in /proc and /sys, and what links there lead to, such as /dev/stdout: it
    ///   cannot be replaced, or must not be.
    static func linkTarget(of path: FilePath) throws(UVError) -> FilePath? {
        var path = path
        // As many as Linux follows; when they are in a circle, the status has said so before.
        for _ in 0..<40 {
            let directory = path.removingLastComponent()
            let isMadeUp = unsafe (directory.isEmpty ? "." : directory).withPlatformString {
                unsafe cplatform_is_made_up($0) != 0
            }
            if isMadeUp { return nil }
            guard (try? linkStatus(of: path))?.kind == .symbolicLink else { return path }
            path = directory.pushing(try readLink(path))
        }
        throw UVError(.tooManySymbolicLinkLevels, in: "readLink", of: path.string)
    }

    static func realPath(_ path: FilePath) throws(UVError) -> FilePath {
        unsafe try pathResult("resolve", path) { unsafe uv_fs_realpath(nil, $0, $1, nil) }
    }

    /// Iterated to the end: libuv 1.44.2 leaks what is left when a listing is given up early.
    static func entries(of path: FilePath) throws(UVError) -> [DirectoryEntry] {
        unsafe try fileCall("list", of: path.string) { raw in
            unsafe path.withPlatformString { unsafe uv_fs_scandir(nil, raw, $0, 0, nil) }
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

    static func entries(of directory: FileDescriptor, upTo limit: Int) throws(UVError) -> [DirectoryEntry] {
        guard let directory = TreeDirectory(".", in: directory.rawValue) else {
            throw UVError(.lastSystemError, in: "list", of: directory.text)
        }
        var entries: [DirectoryEntry] = []
        while entries.count < limit, let entry = directory.next() {
            if let entry = DirectoryEntry(entry) { entries.append(entry) }
        }
        return entries
    }
}
