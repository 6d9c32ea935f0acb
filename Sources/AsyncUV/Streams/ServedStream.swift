public import UV

/// A stream that a server can serve: its waits can end by a time limit and because the server drains. Protocols that are layered over
/// streams need nothing more. TCP and local connections are such streams; a stream that is layered over one of them may be, too.
public protocol ServedStream: ByteStream {
    /// Takes what is there, or what comes in time: as ``StreamConnection/read(upTo:timeout:untilDraining:)``.
    func read(upTo limit: Int, timeout: Duration?, untilDraining: Bool) async throws -> [UInt8]?

    /// Writes all of the bytes if the peer takes them in time: as ``StreamConnection/write(contentsOf:timeout:)``.
    func write(contentsOf chunks: [[UInt8]], timeout: Duration?) async throws

    /// Whether the connection should end after what is under way: as ``StreamConnection/isDraining``.
    var isDraining: Bool { get async throws }

    /// Closes so that the peer cannot take what it has got for the whole, if there is a way: TCP with a reset, TLS without its goodbye.
    /// Otherwise as ``ByteStream/close()``, which is what it does unless a type has its own.
    func abort() async

    /// The address of the other side; `nil` for a stream that is not over TCP.
    var peerAddress: SocketAddress? { get }
}

extension ServedStream {
    public func abort() async { await close() }
    public var peerAddress: SocketAddress? { nil }
}

extension TCPConnection: ServedStream {
    public func abort() async { await closeWithReset() }
    public var peerAddress: SocketAddress? { remoteAddress }
}

extension LocalConnection: ServedStream {
    /// Closes without what filters would say to the peer.
    public func abort() async { await stream.end { core in core.close { $0.close() } } }
}
