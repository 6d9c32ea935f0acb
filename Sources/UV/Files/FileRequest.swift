internal import CLibuv
public import SystemPackage

/// An operation on files that a thread of libuv's pool does, while the loop goes on.
///
/// Each function starts one and calls its closure once, on the loop's thread: with the result, with ``UVError`` that names
/// the path or descriptor, or with `.canceled` after a ``Request/cancel()`` in time. Bytes belong to the request until then.
/// Requests run side by side and end in any order: what depends on another starts in its closure.
///
/// What cannot be right is thrown at once, with nothing started: see ``FileOperation``. A `FilePath` made from a string ends at a
/// NUL; strings from strangers become paths through `FilePath(validating:)`.
public class FileRequest: PoolRequest {
    /// Gets the result of a request, once.
    public typealias Completion<Value> = (FileRequest, Result<Value, UVError>) -> Void

    /// Anything that belongs with the request: with it a completion needs no context of its own.
    package final var attachment: AnyObject?
    /// The path that the operation is done to, for reports.
    private final var subject: FilePath?

    override var subjectOfRequest: String? { subject.map { "of \($0)" } }

    /// Starts an operation.
    @discardableResult
    public static func start<Value>(
        _ operation: FileOperation<Value>, on loop: Loop, onDone: @escaping Completion<Value>
    ) throws(UVError) -> FileRequest {
        if let fault = operation.fault { throw fault }
        let work = operation.work()
        let request = try begin(operation.name, of: operation.subject, on: loop, onDone) { request throws(UVError) in
            try work(request)
        }
        request.subject = operation.subject ?? operation.path
        return request
    }

    private static func begin<Value>(
        _ operation: StaticString, of subject: FilePath?, on loop: Loop, _ onDone: @escaping Completion<Value>,
        _ work: @escaping (PoolRequest) throws(UVError) -> Value?
    ) throws(UVError) -> FileRequest {
        let request = FileRequest(on: loop)
        request.subject = subject
        var result: Result<Value, UVError>?
        try request.begin(operation) { [unowned request] in
            do throws(UVError) { result = try work(request).map { .success($0) } } catch { result = .failure(error) }
        } finish: { [unowned request] _ in
            onDone(request, result ?? .failure(UVError(.canceled, in: operation.description, of: subject?.string)))
        }
        return request
    }

    // MARK: Reading

    /// Reads what is there, up to a number of bytes. Fewer may come before the end; none come at the end only.
    ///
    /// - Parameter limit: Room is made for what the file has, not for the limit.
    /// - Parameter offset: Where to read; `nil` reads at the file's position and moves it. In a pipe or terminal only that works
    ///   (else it is `.illegalSeek`); if its descriptor does not block, the request waits for bytes without a thread.
    ///
    /// Calls `uv_fs_read`.
    @discardableResult
    public static func read(
        from file: FileDescriptor, upTo limit: Int, at offset: Int64?, on loop: Loop,
        onDone: @escaping Completion<[UInt8]>
    ) throws(UVError) -> FileRequest {
        try read(from: file, named: nil, upTo: limit, at: offset, on: loop, attachment: nil, onDone: onDone)
    }

    /// - Parameter path: For errors.
    package static func read(
        from file: FileDescriptor, named path: FilePath?, upTo limit: Int, at offset: Int64?, on loop: Loop,
        attachment: AnyObject?, onDone: @escaping Completion<[UInt8]>
    ) throws(UVError) -> FileRequest {
        try checkNotNegative(Int64(limit), "count", "read", of: path)
        if let offset { try checkNotNegative(offset, "offset", "read", of: path) }
        let request = ReadRequest(OpenFile(file, path), limit, offset, on: loop, onDone)
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
        try read(from: file, named: nil, into: buffer, at: offset, on: loop, onDone: onDone)
    }

    /// - Parameter path: For errors.
    package static func read(
        from file: FileDescriptor, named path: FilePath?, into buffer: consuming [UInt8], at offset: Int64?,
        on loop: Loop, onDone: @escaping Completion<(buffer: [UInt8], count: Int)>
    ) throws(UVError) -> FileRequest {
        if let offset { try checkNotNegative(offset, "offset", "read", of: path) }
        let file = OpenFile(file, path)
        // Not an operation, which would be a second owner of the bytes.
        var bytes = buffer
        return try begin("read", of: path, on: loop, onDone) { (_: PoolRequest) throws(UVError) in
            let count = try Files.read(into: &bytes, from: 0, of: file, at: offset)
            var filled: [UInt8] = []
            swap(&filled, &bytes)
            return (filled, count)
        }
    }

    @inline(__always)
    static func checkNotNegative(
        _ number: Int64, _ what: StaticString, _ operation: StaticString, of path: FilePath? = nil
    ) throws(UVError) {
        if number < 0 {
            throw UVError(.invalidArgument, in: operation.description, of: "\(what) \(number)").naming(path)
        }
    }
}
