internal import CReadiness
internal import Glibc

extension Socket {
    /// An option with a whole number for its value; 0 and 1 stand for off and on.
    public struct Option: Sendable {
        let level: CInt
        let name: CInt

        /// Binds although old connections of this port still linger.
        public static let reuseAddress = Option(level: SOL_SOCKET, name: SO_REUSEADDR)
        /// Several listeners on one port.
        public static let reusePort = Option(level: SOL_SOCKET, name: SO_REUSEPORT)
        /// Sends small messages at once (Nagle's algorithm off).
        public static let noDelay = Option(level: CInt(IPPROTO_TCP), name: TCP_NODELAY)
        /// The kernel's buffers in bytes; it doubles what is set, and has its own limits.
        public static let sendBufferSize = Option(level: SOL_SOCKET, name: SO_SNDBUF)
        /// As ``sendBufferSize``, for what has come and was not read.
        public static let receiveBufferSize = Option(level: SOL_SOCKET, name: SO_RCVBUF)
        /// The waiting error number, which reading clears.
        static let error = Option(level: SOL_SOCKET, name: SO_ERROR)
    }

    /// Sets an option. Calls `setsockopt`.
    public func set(_ option: Option, to value: CInt) throws(SystemError) {
        try check(readiness_set_option(descriptor, option.level, option.name, value), "setsockopt")
    }

    /// Asks for an option. Calls `getsockopt`.
    public func get(_ option: Option) throws(SystemError) -> CInt {
        try check(readiness_get_option(descriptor, option.level, option.name), "getsockopt")
    }

    /// Whether calls wait. It belongs to the open socket: all holders of the descriptor, children too, see the change.
    public func setBlocking(_ isBlocking: Bool) throws(SystemError) {
        try check(readiness_set_blocking(descriptor, isBlocking ? 1 : 0), "fcntl")
    }

    /// Closing will throw away what was not sent and tell the peer with a reset.
    public func resetOnClose() throws(SystemError) {
        try check(readiness_reset_on_close(descriptor), "setsockopt")
    }
}
