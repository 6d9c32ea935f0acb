public import SystemPackage

/// Copies.
extension FileRequest {
    /// Copies a file, whole or not at all: at any moment the destination is as it was, missing, or complete.
    ///
    /// The copy is made under a temporary name in the destination's directory, and renamed. It shares the blocks of the
    /// source where the file system can. It has the source's permissions but the set-user-ID and set-group-ID bits, and
    /// belongs to whoever copies. Of pseudo-files that claim to be empty, and of files that shrink meanwhile, what can be
    /// read is copied; holes stay holes. A file copied onto itself, under whatever name, stays as it is. A symbolic link
    /// at the destination stays; the file it points to is replaced.
    ///
    /// A big file takes several trips to the pool, of 16 MiB or 20 ms each. ``Request/cancel()`` works at any time, ends
    /// in `.canceled` and leaves nothing behind.
    ///
    /// - Parameter isReplacing: Whether a file with the destination's name is replaced; else it is `.fileExists`.
    /// - Parameter onProgress: Called after each trip but the last, with the number of bytes copied so far.
    /// - Parameter onDone: Gets the number of bytes copied, 0 for a file onto itself; or an error: `.isDirectory` for
    ///   directories, `.notSupported` for devices and the like, and as a destination for what cannot be replaced, such as
    ///   `/dev/stdout` and files in `/proc`; `.resourceBusy` where another file is mounted on the destination.
    ///
    /// Replaces `uv_fs_copyfile`: it runs for ever when the source shrinks, removes the destination on a full volume and copies
    /// pseudo-files as empty.
    @discardableResult
    public static func copy(
        _ source: FilePath, to destination: FilePath, isReplacing: Bool = true, on loop: Loop,
        onProgress: ((FileRequest, Int64) -> Void)? = nil, onDone: @escaping Completion<Int64>
    ) throws(UVError) -> FileRequest {
        if let fault = FileOperation<Int64>.fault("copy", [source, destination]) { throw fault }
        let request = FileRequest(on: loop)
        let copy = ReplacingCopy(source, to: destination, isReplacing: isReplacing)
        try request.begin(
            "copy", copy, onProgress: onProgress.map { call in { [unowned request] in call(request, $0) } },
            finish: { [unowned request] in onDone(request, $0) })
        return request
    }
}
