internal import CLibuv
public import SystemPackage

/// An operation on files that a thread of libuv's pool does, while the loop goes on.
///
/// Each function starts one and calls its closure once, on the loop's thread: with the result, with ``UVError`` that names
/// the path or descriptor, or with `.canceled` after a ``Request/cancel()`` in time. Bytes belong to the request until then.
/// Requests run side by side and end in any order: what depends on another starts in its closure.
///
/// What cannot be right is thrown at once, with nothing started: an empty path (`.noSuchFileOrDirectory`), a negative offset,
/// size or count (`.invalidArgument`). A `FilePath` made from a string ends at a NUL; strings from strangers become paths
/// through ``SystemPackage/FilePath/init(validating:)``.
public class FileRequest: PoolRequest {
    /// Gets the result of a request, once.
    public typealias Completion<Value> = (FileRequest, Result<Value, UVError>) -> Void

    /// Anything that belongs with the request, for libraries on top: with it a completion needs no context of its own.
    public final var attachment: AnyObject?

    static func begin<Value>(
        _ operation: StaticString, on loop: Loop, _ onDone: @escaping Completion<Value>,
        _ work: @escaping () throws(UVError) -> Value
    ) throws(UVError) -> FileRequest {
        try begin(operation, on: loop, onDone) { (_: PoolRequest) throws(UVError) in try work() }
    }

    /// - Parameter work: Returns `nil` when it cannot go on, with the request's ``PoolRequest/wait`` set. It is called again then.
    static func begin<Value>(
        _ operation: StaticString, on loop: Loop, _ onDone: @escaping Completion<Value>,
        _ work: @escaping (PoolRequest) throws(UVError) -> Value?
    ) throws(UVError) -> FileRequest {
        let request = FileRequest(on: loop)
        var result: Result<Value, UVError>?
        try request.begin(operation) { [unowned request] in
            do throws(UVError) { result = try work(request).map { .success($0) } } catch { result = .failure(error) }
        } finish: { [unowned request] _ in
            onDone(request, result ?? .failure(UVError(.canceled, in: operation.description)))
        }
        return request
    }

    static func check(_ path: FilePath, _ operation: StaticString) throws(UVError) {
        if path.isEmpty { throw UVError(.noSuchFileOrDirectory, in: operation.description, of: "an empty path") }
    }

    /// The most bytes that a system reads at once: 2 GiB less a page.
    private static let largestRead = 0x7fff_f000

    @inline(__always)
    static func checkNotNegative(
        _ number: Int64, _ what: StaticString, _ operation: StaticString
    ) throws(UVError) {
        if number < 0 { throw negative(number, what, operation) }
    }

    @inline(never)
    private static func negative(_ number: Int64, _ what: StaticString, _ operation: StaticString) -> UVError {
        UVError(.invalidArgument, in: operation.description, of: "\(what) \(number)")
    }

    // MARK: Open and close

    /// Opens a file, closed on exec.
    ///
    /// It never waits for the other side of a FIFO: without a reader to open it for writing is `.noSuchAddressOrDevice`. A regular
    /// file that another process has a lease on (see fcntl(2)) is `.resourceTemporarilyUnavailable`. The descriptor is one that
    /// does not block.
    ///
    /// - Parameter permissions: Those of a new file, less the process's mask; its owner's to read and write if `nil`.
    ///
    /// Calls `uv_fs_open`.
    @discardableResult
    public static func open(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode, options: FileDescriptor.OpenOptions = [],
        permissions: FilePermissions? = nil, on loop: Loop, onDone: @escaping Completion<FileDescriptor>
    ) throws(UVError) -> FileRequest {
        try check(path, "open")
        return try begin("open", on: loop, onDone) { () throws(UVError) in
            try Files.open(path, mode, options, permissions)
        }
    }

    /// Opens for reading what is below an open directory, closed on exec. What leads out of it is `.improperLink`, whatever others
    /// exchange for symbolic links meanwhile: absolute links and `..` too far up. Links within the directory are followed.
    ///
    /// Replaces `uv_fs_open`: it cannot do that.
    @discardableResult
    package static func open(
        _ path: FilePath, below directory: FileDescriptor, on loop: Loop, onDone: @escaping Completion<FileDescriptor>
    ) throws(UVError) -> FileRequest {
        try check(path, "open")
        return try begin("open", on: loop, onDone) { () throws(UVError) in try Files.open(path, below: directory) }
    }

    /// Closes a file. It is closed even when an error is reported: an earlier write has failed then.
    ///
    /// Calls `uv_fs_close`.
    @discardableResult
    public static func close(
        _ file: FileDescriptor, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try begin("close", on: loop, onDone) { () throws(UVError) in try Files.close(file) }
    }

    // MARK: Read

    /// Reads what is there, up to a number of bytes. Fewer may come before the end; none come at the end only.
    ///
    /// - Parameter limit: Room is made for what the file has, not for the limit.
    /// - Parameter offset: Where to read; `nil` reads at the file's position and moves it. In a pipe or terminal only that works
    ///   (else it is `.illegalSeek`); if its descriptor does not block, the request waits for bytes without a thread.
    /// - Parameter attachment: See ``attachment``.
    ///
    /// Calls `uv_fs_read`.
    @discardableResult
    public static func read(
        from file: FileDescriptor, upTo limit: Int, at offset: Int64?, on loop: Loop, attachment: AnyObject? = nil,
        onDone: @escaping Completion<[UInt8]>
    ) throws(UVError) -> FileRequest {
        try checkNotNegative(Int64(limit), "count", "read")
        if let offset { try checkNotNegative(offset, "offset", "read") }
        let request = ReadRequest(file, limit, offset, on: loop, onDone)
        request.attachment = attachment
        try request.begin("read")
        return request
    }

    /// Reads into an array that is handed back, filled from its start, with the number of bytes that were read. After an
    /// error or a cancellation it is gone.
    ///
    /// Otherwise as ``read(from:upTo:at:on:onDone:)``. Calls `uv_fs_read`.
    @discardableResult
    public static func read(
        from file: FileDescriptor, into buffer: consuming [UInt8], at offset: Int64?, on loop: Loop,
        onDone: @escaping Completion<(buffer: [UInt8], count: Int)>
    ) throws(UVError) -> FileRequest {
        if let offset { try checkNotNegative(offset, "offset", "read") }
        var bytes = buffer
        return try begin("read", on: loop, onDone) { () throws(UVError) in
            let count = try Files.read(into: &bytes, from: 0, of: file, at: offset)
            var filled: [UInt8] = []
            swap(&filled, &bytes)
            return (filled, count)
        }
    }

    /// Reads into several arrays of given sizes, one after the other, in one call of the system.
    ///
    /// - Parameter onDone: Gets the arrays, cut to what came.
    /// - Throws: ``UVError`` with `.invalidArgument` for a negative count and for more than 2 GiB in all. Otherwise as
    ///   ``read(from:upTo:at:on:onDone:)``.
    ///
    /// Calls `uv_fs_read`.
    @discardableResult
    public static func read(
        from file: FileDescriptor, counts: [Int], at offset: Int64?, on loop: Loop,
        onDone: @escaping Completion<[[UInt8]]>
    ) throws(UVError) -> FileRequest {
        var total = 0
        for count in counts {
            try checkNotNegative(Int64(count), "count", "read")
            total += min(count, largestRead + 1)
            if total > largestRead { throw UVError(.invalidArgument, in: "read", of: "more than 2 GiB at once") }
        }
        if let offset { try checkNotNegative(offset, "offset", "read") }
        return try begin("read", on: loop, onDone) { () throws(UVError) in
            try Files.read(from: file, counts: counts, at: offset)
        }
    }

    // MARK: Write

    /// Writes bytes, as many as the system takes at once: on a full volume fewer, then none with `.noSpace`. A pipe without room
    /// is `.resourceTemporarilyUnavailable`, if its descriptor does not block.
    ///
    /// - Parameter offset: Where to write; `nil` writes at the file's position and moves it.
    ///
    /// Calls `uv_fs_write`.
    @discardableResult
    public static func write(
        _ bytes: [UInt8], to file: FileDescriptor, at offset: Int64?, on loop: Loop,
        onDone: @escaping Completion<Int>
    ) throws(UVError) -> FileRequest {
        try write(contentsOf: [bytes], to: file, at: offset, on: loop, onDone: onDone)
    }

    /// Writes several arrays in one call of the system. Otherwise as ``write(_:to:at:on:onDone:)``.
    ///
    /// Calls `uv_fs_write`.
    @discardableResult
    public static func write(
        contentsOf chunks: [[UInt8]], to file: FileDescriptor, at offset: Int64?, on loop: Loop,
        onDone: @escaping Completion<Int>
    ) throws(UVError) -> FileRequest {
        if let offset { try checkNotNegative(offset, "offset", "write") }
        return try begin("write", on: loop, onDone) { () throws(UVError) in
            try Files.write(chunks, to: file, at: offset)
        }
    }

    /// Writes all of the bytes, in as many calls of the system as it takes.
    ///
    /// - Parameter offset: Where to write; `nil` writes behind the end, wherever that is when the write begins. In a pipe or
    ///   terminal only that works; if its descriptor does not block, the request waits for room without a thread.
    /// - Parameter onDone: The text of an error says how many bytes were written before it.
    ///
    /// Calls `uv_fs_write`.
    @discardableResult
    public static func writeAll(
        _ bytes: [UInt8], to file: FileDescriptor, at offset: Int64?, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        if let offset { try checkNotNegative(offset, "offset", "write") }
        var done = 0
        return try begin("write", on: loop, onDone) { (request: PoolRequest) throws(UVError) in
            if let offset { return try Files.writeAll(bytes, to: file, at: offset) }
            do throws(UVError) { return try Files.append(bytes, &done, to: file) } catch {
                guard error.code == .resourceTemporarilyUnavailable else { throw error }
                request.wait = .ready(file, .writable)
                return nil
            }
        }
    }

    /// Waits until a file's content and status are on the disk. Calls `uv_fs_fsync`.
    @discardableResult
    public static func sync(
        _ file: FileDescriptor, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try begin("sync", on: loop, onDone) { () throws(UVError) in try Files.sync(file) }
    }

    /// Waits until a file's content is on the disk, and of its status what is needed to read it. Calls `uv_fs_fdatasync`.
    @discardableResult
    public static func syncData(
        _ file: FileDescriptor, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try begin("sync", on: loop, onDone) { () throws(UVError) in try Files.syncData(file) }
    }

    /// Cuts a file, or lengthens it with zeros. Calls `uv_fs_ftruncate`.
    @discardableResult
    public static func truncate(
        _ file: FileDescriptor, to size: Int64, on loop: Loop, onDone: @escaping Completion<Void>
    ) throws(UVError) -> FileRequest {
        try checkNotNegative(size, "size", "truncate")
        return try begin("truncate", on: loop, onDone) { () throws(UVError) in try Files.truncate(file, to: size) }
    }

    /// Copies bytes from a file to another file, or to a socket, without a trip through this process.
    ///
    /// - Parameter onDone: Gets the number of bytes sent: 0 at the end of the source, often fewer than asked for. A socket
    ///   without room is `.resourceTemporarilyUnavailable`, a pseudo-file that cannot be sent to sockets `.invalidArgument`.
    ///
    /// Replaces `uv_fs_sendfile`: where copy_file_range refuses sockets, 1.44.2 copies by itself, 8 KiB at a time, and keeps a
    /// thread of the pool until the peer has taken all of it. Four that read slowly would hold up every file.
    @discardableResult
    public static func send(
        from source: FileDescriptor, at offset: Int64, count: Int, to destination: FileDescriptor, on loop: Loop,
        onDone: @escaping Completion<Int>
    ) throws(UVError) -> FileRequest {
        try checkNotNegative(offset, "offset", "send")
        try checkNotNegative(Int64(count), "count", "send")
        return try begin("send", on: loop, onDone) { () throws(UVError) in
            try Files.send(from: source, at: offset, count: count, to: destination)
        }
    }
}
