internal import CLibuv

/// The sizes of the system's socket buffers.
extension Handle {
    /// The size of the system's send buffer in bytes; Linux says twice what was set. Calls `uv_send_buffer_size`.
    public final var sendBufferSize: Int {
        get throws(UVError) { unsafe try bufferSize("sendBufferSize", 0) { unsafe uv_send_buffer_size(base, $0) } }
    }

    /// The size of the system's receive buffer in bytes; Linux says twice what was set. Calls `uv_recv_buffer_size`.
    public final var receiveBufferSize: Int {
        get throws(UVError) { unsafe try bufferSize("receiveBufferSize", 0) { unsafe uv_recv_buffer_size(base, $0) } }
    }

    /// Asks for a size of the system's send buffer, 1 byte at least; the system has its own limits.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for other sizes, `.notSupported` for a handle that is no socket.
    public final func setSendBufferSize(_ bytes: Int) throws(UVError) {
        _ = unsafe try bufferSize("setSendBufferSize", wanted(bytes, "setSendBufferSize")) {
            unsafe uv_send_buffer_size(base, $0)
        }
    }

    /// Asks for a size of the system's receive buffer. Otherwise as ``setSendBufferSize(_:)``.
    public final func setReceiveBufferSize(_ bytes: Int) throws(UVError) {
        _ = unsafe try bufferSize("setReceiveBufferSize", wanted(bytes, "setReceiveBufferSize")) {
            unsafe uv_recv_buffer_size(base, $0)
        }
    }

    private final func wanted(_ bytes: Int, _ operation: StaticString) throws(UVError) -> CInt {
        guard bytes > 0, let size = CInt(exactly: bytes) else {
            throw UVError(.invalidArgument, in: operation.description, of: "\(bytes) bytes")
        }
        return size
    }

    private final func bufferSize(
        _ operation: StaticString, _ size: CInt, _ ask: (UnsafeMutablePointer<CInt>) -> CInt
    ) throws(UVError) -> Int {
        try checkOpen(operation)
        var size = size
        try check(unsafe ask(&size), operation, of: kind.name)
        return Int(size)
    }
}
