/// What goes over a ``WebSocket``, however many frames it came in.
public enum WebSocketMessage: Hashable, Sendable {
    /// Text, which was checked to be UTF-8.
    case text(String)
    /// Bytes.
    case binary([UInt8])
}

/// Which end of the connection a ``WebSocket`` is: a client masks what it sends, a server does not.
public enum WebSocketRole: Hashable, Sendable {
    /// The side that has connected, or the one that was connected to.
    case client, server
}

/// How much a peer may send, and how long it may take to say goodbye.
public struct WebSocketLimits: Hashable, Sendable {
    /// The largest message in bytes, over all of its frames; a larger one ends the connection with code 1009.
    public var message: Int
    /// The largest frame in bytes.
    public var frame: Int
    /// How long ``WebSocket/close(_:reason:)`` waits for the peer's answer, and a last frame for room to leave.
    public var closeTimeout: Duration

    /// Makes limits; what is left out is as each property says.
    ///
    /// - Parameter frame: As large as a message, unless told otherwise.
    public init(message: Int = 1 << 20, frame: Int? = nil, closeTimeout: Duration = .seconds(5)) {
        self.message = message
        self.frame = frame ?? message
        self.closeTimeout = closeTimeout
    }
}
