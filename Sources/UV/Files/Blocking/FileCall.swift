internal import CLibuv

/// One file operation of libuv on the calling thread, which may block: a thread of the pool.
///
/// All operations on files go through here. Those of libuv's own asynchronous form would hide when a thread begins with
/// one, and several could not share a trip to the pool.
///
/// - Parameter value: Takes the result out of the finished request.
func fileCall<Value>(
    _ operation: StaticString, of subject: @autoclosure () -> String,
    _ perform: (UnsafeMutablePointer<uv_fs_t>) -> CInt, _ value: (UnsafeMutablePointer<uv_fs_t>) -> Value
) throws(UVError) -> Value {
    var raw = unsafe uv_fs_t()
    var status: Int
    var result: Value?
    (status, result) = unsafe withUnsafeMutablePointer(to: &raw) { raw in
        defer { unsafe uv_fs_req_cleanup(raw) }
        // What libuv refuses, or has no memory for, does not reach the request's own result. Else the result counts: what
        // libuv returns is an `int`, which is negative for 2 GiB.
        let refused = unsafe perform(raw)
        let status = unsafe raw.pointee.result == 0 ? min(Int(refused), 0) : raw.pointee.result
        return unsafe (status, status < 0 ? nil : value(raw))
    }
    guard let result else {
        throw UVError(.init(rawValue: CInt(truncatingIfNeeded: status)), in: operation.description, of: subject())
    }
    return result
}

/// An operation without a result.
func fileCall(
    _ operation: StaticString, of subject: @autoclosure () -> String,
    _ perform: (UnsafeMutablePointer<uv_fs_t>) -> CInt
) throws(UVError) {
    unsafe try fileCall(operation, of: subject(), perform) { _ in () }
}
