internal import CLibuv
internal import SystemPackage

extension StreamHandle {
    /// Two handles connected with each other through the kernel.
    ///
    /// - Parameter adopt: Makes a handle of a socket; closes the socket when that fails.
    static func connectedPair<Handle: StreamHandle>(
        _ adopt: (CInt) throws(UVError) -> Handle
    ) throws(UVError) -> (Handle, Handle) {
        var sockets: [uv_os_sock_t] = [-1, -1]
        try check(
            unsafe uv_socketpair(
                streamSocketType, 0, &sockets, CInt(UV_NONBLOCK_PIPE.rawValue), CInt(UV_NONBLOCK_PIPE.rawValue)),
            "pair")
        let first: Handle
        do { first = try adopt(sockets[0]) } catch {
            FileDescriptor(rawValue: sockets[1]).closeIgnoringErrors()
            throw error
        }
        do { return (first, try adopt(sockets[1])) } catch {
            first.close()
            throw error
        }
    }
}
