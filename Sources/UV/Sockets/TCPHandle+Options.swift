internal import CLibuv
internal import SystemPackage

extension TCPHandle {
    /// Sends small writes at once instead of waiting for more (TCP_NODELAY).
    ///
    /// If there is no socket yet, the setting is kept and applied to the socket when it is made.
    ///
    /// Calls `uv_tcp_nodelay`.
    public func setNoDelay(enabled: Bool) throws(UVError) {
        try checkOpen("setNoDelay")
        try check(unsafe uv_tcp_nodelay(raw, enabled ? 1 : 0), "setNoDelay")
    }

    /// Detects peers that vanished without a word; `nil` turns it off.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for numbers out of range, `.badFileDescriptor` before there is a
    ///   socket.
    ///
    /// Calls `uv_tcp_keepalive`.
    public func setKeepAlive(_ keepAlive: TCPKeepAlive?) throws(UVError) {
        try checkOpen("setKeepAlive")
        let descriptor = try fileDescriptor.rawValue
        guard let keepAlive else {
            try check(unsafe uv_tcp_keepalive(raw, 0, 0), "setKeepAlive")
            return
        }
        guard let idle = seconds(keepAlive.idle), let interval = seconds(keepAlive.interval),
            (1...127).contains(keepAlive.count)
        else { throw UVError(.invalidArgument, in: "setKeepAlive", of: "\(keepAlive)") }
        try check(unsafe uv_tcp_keepalive(raw, 1, UInt32(idle)), "setKeepAlive")
        try SocketOption.set(.keepAliveInterval, interval, descriptor, "setKeepAlive")
        try SocketOption.set(.keepAliveCount, CInt(keepAlive.count), descriptor, "setKeepAlive")
    }

    private func seconds(_ duration: Duration) -> CInt? {
        guard let milliseconds = duration.wholeMilliseconds, (1...32_767_000).contains(milliseconds) else { return nil }
        return CInt((milliseconds + 999) / 1_000)
    }
}
