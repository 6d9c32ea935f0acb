internal import CLibuv
internal import SystemPackage

/// When the kernel asks a silent peer whether it is still there.
public struct KeepAlive: Hashable, Sendable {
    /// Silence before the first question, 1 to 32,767 s.
    public var idle: Duration
    /// Time between questions, 1 to 32,767 s.
    public var interval: Duration
    /// Questions without an answer that end the connection with `.timedOut`, 1 to 127.
    public var count: Int

    /// Durations are rounded up to whole seconds.
    public init(idle: Duration = .seconds(60), interval: Duration = .seconds(10), count: Int = 6) {
        self.idle = idle
        self.interval = interval
        self.count = count
    }
}

extension TCPHandle {
    /// Sends small writes at once instead of waiting for more (TCP_NODELAY).
    ///
    /// Before there is a socket the wish is kept and applied when there is one.
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
    public func setKeepAlive(_ keepAlive: KeepAlive?) throws(UVError) {
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
