internal import CLibuv
public import SystemPackage

/// Reads a directory in batches in the thread pool, in the file system's order. For those of any size.
///
/// As with ``FileRequest`` each function starts one operation and calls its closure once.
public final class DirectoryRequest: PoolRequest {
    /// Gets the result of a request, once.
    public typealias Completion<Value> = (DirectoryRequest, Result<Value, UVError>) -> Void

    /// An open directory. It must be closed with ``DirectoryRequest/close(_:on:onDone:)``; one that is dropped open closes
    /// itself on the spot.
    @safe
    public final class Directory {
        let path: FilePath
        private var raw: UnsafeMutablePointer<uv_dir_t>?
        /// Whether a thread of the pool uses it.
        fileprivate var isBusy = false
        fileprivate var isClosed = false

        fileprivate init(_ path: FilePath) throws(UVError) {
            self.path = path
            unsafe raw = unsafe try fileCall("list", of: path.string) { raw in
                unsafe path.withPlatformString { unsafe uv_fs_opendir(nil, raw, $0, nil) }
            } _: {
                unsafe $0.pointee.ptr.assumingMemoryBound(to: uv_dir_t.self)
            }
        }

        deinit { close() }

        fileprivate func read(upTo limit: Int) throws(UVError) -> [DirectoryEntry] {
            guard let raw = unsafe raw else { return [] }
            var entries: [DirectoryEntry] = []
            // A batch of names that are all refused is not the end.
            while entries.isEmpty {
                var isAtEnd = false
                let room = UnsafeMutablePointer<uv_dirent_t>.allocate(capacity: limit)
                defer { unsafe room.deallocate() }
                unsafe raw.pointee.dirents = unsafe room
                unsafe raw.pointee.nentries = limit
                unsafe try fileCall("list", of: path.string) {
                    unsafe uv_fs_readdir(nil, $0, raw, nil)
                } _: {
                    for index in unsafe 0..<$0.pointee.result {
                        if let entry = unsafe DirectoryEntry(room[index]) { entries.append(entry) }
                    }
                    isAtEnd = unsafe $0.pointee.result == 0
                }
                if isAtEnd { break }
            }
            return entries
        }

        fileprivate func close() {
            guard let raw = unsafe raw else { return }
            unsafe self.raw = nil
            var request = unsafe uv_fs_t()
            unsafe uv_fs_closedir(nil, &request, raw, nil)
            unsafe uv_fs_req_cleanup(&request)
        }
    }

    private static func begin<Value>(
        on loop: Loop, _ onDone: @escaping Completion<Value>, _ work: @escaping () throws(UVError) -> Value
    ) throws(UVError) -> DirectoryRequest {
        let request = DirectoryRequest(on: loop)
        var result: Result<Value, UVError>?
        try request.begin("list") {
            result = Result { () throws(UVError) in try work() }
        } finish: { [unowned request] _ in
            onDone(request, result ?? .failure(UVError(.canceled, in: "list")))
        }
        return request
    }

    /// Opens a directory. Calls `uv_fs_opendir`.
    @discardableResult
    public static func open(
        _ path: FilePath, on loop: Loop, onDone: @escaping Completion<Directory>
    ) throws(UVError) -> DirectoryRequest {
        try FileRequest.check(path, "list")
        return try begin(on: loop, onDone) { () throws(UVError) in try Directory(path) }
    }

    /// Reads the next entries, without `.` and `..`; none at the end. Calls `uv_fs_readdir`.
    ///
    /// - Parameter limit: The most entries to read at a time, from 1 to 65,536.
    /// - Throws: ``UVError`` with `.resourceBusy` while another request uses the directory, `.badFileDescriptor` when it
    ///   is closed, `.invalidArgument` for another limit.
    @discardableResult
    public static func read(
        _ directory: Directory, upTo limit: Int = 256, on loop: Loop, onDone: @escaping Completion<[DirectoryEntry]>
    ) throws(UVError) -> DirectoryRequest {
        guard (1...65_536).contains(limit) else {
            throw UVError(.invalidArgument, in: "list", of: "up to \(limit) entries")
        }
        try take(directory)
        return try begin(on: loop, release(directory, onDone)) { () throws(UVError) in
            try directory.read(upTo: limit)
        }
    }

    /// Closes a directory. Throws as ``read(_:upTo:on:onDone:)`` does. Calls `uv_fs_closedir`.
    @discardableResult
    public static func close(
        _ directory: Directory, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> DirectoryRequest {
        try take(directory)
        directory.isClosed = true
        return try begin(on: loop, release(directory, onDone)) { directory.close() }
    }

    private static func take(_ directory: Directory) throws(UVError) {
        if directory.isClosed { throw UVError(.badFileDescriptor, in: "list", of: directory.path.string) }
        if directory.isBusy { throw UVError(.resourceBusy, in: "list", of: directory.path.string) }
        directory.isBusy = true
    }

    private static func release<Value>(
        _ directory: Directory, _ onDone: @escaping Completion<Value>
    ) -> Completion<Value> {
        { request, result in
            directory.isBusy = false
            onDone(request, result)
        }
    }
}

@available(*, unavailable)
extension DirectoryRequest.Directory: Sendable {}
