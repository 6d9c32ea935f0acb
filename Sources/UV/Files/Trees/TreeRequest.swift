public import SystemPackage

/// Copies or removes a file or a directory with all that is in it, in the thread pool.
///
/// It takes as many trips to the pool as are needed, one after the other, each of 256 entries, 16 MiB or 20 ms at most.
/// ``Request/cancel()`` works at any time: the request ends with `.canceled`, in the middle of a trip if need be, and what
/// was done stays done. So it is after an error: the first one ends the request.
///
/// Symbolic links are never followed, but for those in the path that was given, before its last component. What others
/// exchange for links meanwhile is not followed either: all is done relative to open directories, at most 64 at a time.
public final class TreeRequest: PoolRequest {
    /// How far a request is.
    public struct Progress: Sendable {
        /// Files, directories, links and the like that are done.
        public var entries = 0
        /// Bytes of files that have been copied; 0 when removing, which doesn't look.
        public var bytes: Int64 = 0
        /// What is being worked on; in the end what the request was made for.
        public var path: FilePath

        /// A state of progress, for tests and for programs that show one.
        public init(entries: Int = 0, bytes: Int64 = 0, path: FilePath) {
            self.entries = entries
            self.bytes = bytes
            self.path = path
        }
    }

    /// Gets the result of a request, once.
    public typealias Completion = (TreeRequest, Result<Progress, UVError>) -> Void

    /// Copies a file or tree to a path where there is nothing yet.
    ///
    /// Permissions and times of last change are kept, but for the bits that let a program run as its owner. Symbolic links are
    /// copied as links, FIFOs made anew, with permissions less the process's mask; hard links become separate files; owners and extended attributes are those of new
    /// files. Blocks are shared where the file system can, and holes stay holes.
    ///
    /// - Parameter onProgress: Called after each trip to the pool but the last.
    /// - Parameter onDone: Called once: with the totals, or with an error that names the path: `.fileExists` when there is
    ///   something at the destination, `.invalidArgument` when the destination is in the tree itself, `.notSupported`
    ///   for sockets and devices. After an error or a cancellation the destination has what was copied until then; each
    ///   file in it is complete, but directories may lack permissions and time.
    ///
    /// Calls `uv_queue_work`.
    @discardableResult
    public static func copy(
        _ source: FilePath, to destination: FilePath, on loop: Loop,
        onProgress: ((TreeRequest, Progress) -> Void)? = nil, onDone: @escaping Completion
    ) throws(UVError) -> TreeRequest {
        if let fault = FileOperation<Progress>.fault("copy", [source, destination]) { throw fault }
        return try begin("copy", of: source, TreeCopy(source, to: destination), on: loop, onProgress, onDone)
    }

    /// Removes a file, a symbolic link, or a directory with all that is in it.
    ///
    /// What vanishes meanwhile by itself is as good as removed; but something must be there at first.
    ///
    /// - Parameter onProgress: Called after each trip to the pool but the last.
    /// - Parameter onDone: Called once: with the totals, or with an error that names the path. After an error or a
    ///   cancellation the rest of the tree is still there.
    /// - Throws: ``UVError`` with `.invalidArgument` for the root directory and for paths that end with `.` or `..`.
    ///
    /// Calls `uv_queue_work`.
    @discardableResult
    public static func remove(
        _ path: FilePath, on loop: Loop, onProgress: ((TreeRequest, Progress) -> Void)? = nil,
        onDone: @escaping Completion
    ) throws(UVError) -> TreeRequest {
        if let fault = FileOperation<Progress>.fault("remove", [path]) { throw fault }
        guard path.lastComponent?.kind == .regular else {
            throw UVError(.invalidArgument, in: "remove", of: path.string)
        }
        return try begin("remove", of: path, TreeRemoval(path), on: loop, onProgress, onDone)
    }

    private var path: FilePath?

    override var subjectOfRequest: String? { path.map { "of \($0)" } }

    private static func begin<Work: BatchedWork>(
        _ operation: StaticString, of path: FilePath, _ work: Work, on loop: Loop,
        _ onProgress: ((TreeRequest, Progress) -> Void)?,
        _ onDone: @escaping Completion
    ) throws(UVError) -> TreeRequest where Work.Progress == Progress {
        let request = TreeRequest(on: loop)
        request.path = path
        try request.begin(
            operation, work, onProgress: onProgress.map { call in { [unowned request] in call(request, $0) } },
            finish: { [unowned request] in onDone(request, $0) })
        return request
    }
}
