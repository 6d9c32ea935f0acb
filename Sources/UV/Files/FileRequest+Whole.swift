public import SystemPackage

/// Whole files: one trip to the thread pool each.
extension FileRequest {
    /// Reads a file from its start to its end.
    ///
    /// Of a FIFO, a pipe or a terminal (`/dev/stdin`) it reads to the end that the writers make, and waits for them without a thread.
    ///
    /// - Parameter limit: A file with more bytes is `.fileTooLarge`. One of more than half of the machine's memory is
    ///   `.noMemory`, whatever the limit.
    ///
    /// Calls `uv_fs_open`, `uv_fs_fstat`, `uv_fs_read`, `uv_fs_close`.
    @discardableResult
    public static func readFile(
        _ path: FilePath, limit: Int = 64 << 20, on loop: Loop, onDone: @escaping Completion<[UInt8]>
    ) throws(UVError) -> FileRequest {
        try check(path, "readFile")
        try checkNotNegative(Int64(limit), "limit", "readFile")
        let read = WholeRead(path, limit: limit)
        return try begin("readFile", on: loop, onDone, read.goOn)
    }

    /// Gives a file new content, whole or not at all: whoever opens the name gets the old bytes or the new ones, in a crash
    /// too, and after an error the old ones are there.
    ///
    /// Only when the disk fails after the new content has taken the name, that is told with `.ioError`.
    ///
    /// They are written to a new file in the same directory, which then takes the name. The permissions of the old file
    /// stay, its owner where that is allowed, other hard links keep the old content. A symbolic link stays.
    ///
    /// Written in place, as by `>` of a shell, is what cannot be replaced: devices; FIFOs, pipes and terminals, which are waited for
    /// without a thread, a FIFO also until somebody opens it for reading; what the system makes up (`/proc`, `/sys`); what a name
    /// there leads to (`/dev/stdout`); and a file on which another is mounted. A pipe without a reader is `.brokenPipe`.
    ///
    /// - Parameter permissions: Those of a file that was not there, less the process's mask; everybody's to read and write
    ///   if `nil`.
    /// - Parameter durably: Whether it ends only when all is on the disk.
    ///
    /// Calls `uv_fs_open`, `uv_fs_write`, `uv_fs_fsync`, `uv_fs_rename`, `uv_fs_close`.
    @discardableResult
    public static func writeFile(
        _ path: FilePath, _ bytes: [UInt8], permissions: FilePermissions? = nil, durably: Bool = true, on loop: Loop,
        onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "writeFile")
        let write = WholeWrite(path, bytes, permissions: permissions, durably: durably)
        return try begin("writeFile", on: loop, onDone, write.goOn)
    }

    /// Makes a directory and those that it is in, as far as they are missing; one that is there already is fine.
    ///
    /// Calls `uv_fs_mkdir`, `uv_fs_stat`.
    @discardableResult
    public static func makeDirectories(
        _ path: FilePath,
        permissions: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute],
        on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try check(path, "makeDirectory")
        return try begin("makeDirectory", on: loop, onDone) { () throws(UVError) in
            try Files.makeDirectories(path, permissions)
        }
    }
}
