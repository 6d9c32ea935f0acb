public import SystemPackage

/// Names in directories.
extension FileRequest {
    /// Gives a file a new name, in place of whatever has that name: at any moment the name stands for one of the two.
    ///
    /// Between volumes it is `.improperLink`. Calls `uv_fs_rename`.
    @discardableResult
    public static func rename(
        _ path: FilePath, to new: FilePath, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "rename")
        try check(new, "rename")
        return try begin("rename", on: loop, onDone) { () throws(UVError) in try Files.rename(path, to: new) }
    }

    /// Gives a file one more name. Calls `uv_fs_link`.
    @discardableResult
    public static func link(
        _ path: FilePath, to new: FilePath, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "link")
        try check(new, "link")
        return try begin("link", on: loop, onDone) { () throws(UVError) in try Files.link(path, to: new) }
    }

    /// Makes a name that points to another, which need not exist. Calls `uv_fs_symlink`.
    ///
    /// - Parameter target: Taken as it is; a relative one counts from the directory of the new name.
    @discardableResult
    public static func symlink(
        to target: FilePath, at new: FilePath, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(target, "symlink")
        try check(new, "symlink")
        return try begin("symlink", on: loop, onDone) { () throws(UVError) in try Files.symlink(target, at: new) }
    }

    /// What a symbolic link points to, as it was given. Calls `uv_fs_readlink`.
    @discardableResult
    public static func readLink(
        _ path: FilePath, on loop: Loop, onDone: @escaping Completion<FilePath>
    ) throws(UVError) -> FileRequest {
        try check(path, "readLink")
        return try begin("readLink", on: loop, onDone) { () throws(UVError) in try Files.readLink(path) }
    }

    /// The absolute path of an existing file, without symbolic links and dots. Calls `uv_fs_realpath`.
    @discardableResult
    public static func realPath(
        of path: FilePath, on loop: Loop, onDone: @escaping Completion<FilePath>
    ) throws(UVError) -> FileRequest {
        try check(path, "resolve")
        return try begin("resolve", on: loop, onDone) { () throws(UVError) in try Files.realPath(path) }
    }

    /// Removes a name of a file that is not a directory, and the file with its last name. Calls `uv_fs_unlink`.
    @discardableResult
    public static func removeFile(
        _ path: FilePath, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "remove")
        return try begin("remove", on: loop, onDone) { () throws(UVError) in try Files.unlink(path) }
    }

    /// Makes a directory; the one that it is in must exist. Calls `uv_fs_mkdir`.
    ///
    /// - Parameter permissions: Less the process's mask.
    @discardableResult
    public static func makeDirectory(
        _ path: FilePath,
        permissions: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute],
        on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "makeDirectory")
        return try begin("makeDirectory", on: loop, onDone) { () throws(UVError) in
            try Files.makeDirectory(path, permissions)
        }
    }

    /// Removes an empty directory. Calls `uv_fs_rmdir`.
    @discardableResult
    public static func removeDirectory(
        _ path: FilePath, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "removeDirectory")
        return try begin("removeDirectory", on: loop, onDone) { () throws(UVError) in
            try Files.removeDirectory(path)
        }
    }

    /// Makes a directory with a new name, for its owner only. Calls `uv_fs_mkdtemp`.
    ///
    /// - Parameter prefix: The path up to six characters that make it new.
    @discardableResult
    public static func makeTemporaryDirectory(
        prefix: FilePath, on loop: Loop, onDone: @escaping Completion<FilePath>
    ) throws(UVError) -> FileRequest {
        let template = try temporary(prefix, "makeTemporaryDirectory")
        return try begin("makeTemporaryDirectory", on: loop, onDone) { () throws(UVError) in
            try Files.makeTemporaryDirectory(template)
        }
    }

    /// Makes and opens a file with a new name, for its owner only. Calls `uv_fs_mkstemp`.
    ///
    /// - Parameter prefix: The path up to six characters that make it new.
    @discardableResult
    public static func makeTemporaryFile(
        prefix: FilePath, on loop: Loop, onDone: @escaping Completion<(path: FilePath, file: FileDescriptor)>
    ) throws(UVError) -> FileRequest {
        let template = try temporary(prefix, "makeTemporaryFile")
        return try begin("makeTemporaryFile", on: loop, onDone) { () throws(UVError) in
            try Files.makeTemporaryFile(template)
        }
    }

    private static func temporary(_ prefix: FilePath, _ operation: StaticString) throws(UVError) -> FilePath {
        try check(prefix, operation)
        return prefix.appendingText("XXXXXX")
    }

    /// Lists a directory, without `.` and `..`, sorted by name. Calls `uv_fs_scandir`.
    ///
    /// For directories that may be huge there is ``DirectoryRequest``.
    @discardableResult
    public static func entries(
        of path: FilePath, on loop: Loop, onDone: @escaping Completion<[DirectoryEntry]>
    ) throws(UVError) -> FileRequest {
        try check(path, "list")
        return try begin("list", on: loop, onDone) { () throws(UVError) in try Files.entries(of: path) }
    }

    /// Lists an open directory in the file system's order, up to a number of names.
    @discardableResult
    package static func entries(
        of directory: FileDescriptor, upTo limit: Int, on loop: Loop, onDone: @escaping Completion<[DirectoryEntry]>
    ) throws(UVError) -> FileRequest {
        try begin("list", on: loop, onDone) { () throws(UVError) in
            try Files.entries(of: directory, upTo: limit)
        }
    }
}
