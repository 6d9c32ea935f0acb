/// Options of a TCP socket, for the time before it connects or listens.
///
/// The connections that a listener accepts have its options.
public struct TCPOptions: Hashable, Sendable {
    /// Sends small writes at once instead of waiting for more (TCP_NODELAY). `nil` leaves it to the layer: connections of
    /// `AsyncUV` send at once, a ``TCPHandle`` does what the system does by default, which is to wait.
    public var noDelay: Bool?
    /// Detects peers that vanished without a word; `nil` does not.
    public var keepAlive: TCPKeepAlive?
    /// The size of the system's send buffer in bytes, 1 at least; `nil` leaves it to the system.
    public var sendBufferSize: Int?
    /// The size of the system's receive buffer in bytes, 1 at least; `nil` leaves it to the system.
    public var receiveBufferSize: Int?

    /// What is left out is left to the system, or to the layer.
    public init(
        noDelay: Bool? = nil, keepAlive: TCPKeepAlive? = nil, sendBufferSize: Int? = nil,
        receiveBufferSize: Int? = nil
    ) {
        self.noDelay = noDelay
        self.keepAlive = keepAlive
        self.sendBufferSize = sendBufferSize
        self.receiveBufferSize = receiveBufferSize
    }
}

extension TCPHandle {
    /// Sets all options that differ from the system's defaults. Set before the socket connects or listens, the sizes of the
    /// buffers count for the connection's window.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for numbers out of range, `.badFileDescriptor` before there is a socket.
    public func setOptions(_ options: TCPOptions) throws(UVError) {
        if let noDelay = options.noDelay { try setNoDelay(enabled: noDelay) }
        if let keepAlive = options.keepAlive { try setKeepAlive(keepAlive) }
        if let size = options.sendBufferSize { try setSendBufferSize(size) }
        if let size = options.receiveBufferSize { try setReceiveBufferSize(size) }
    }
}
