public import AsyncUV
public import UV

/// A connection over TLS. Dropping the last reference closes it, as ``ByteStream/close()`` does.
///
/// As every ``ByteStream``, with these meanings: a read says `nil` only after the peer has said that it has finished (close_notify);
/// a connection that just ends throws ``TLSError/truncated(peer:)``, after the bytes before it. ``ByteStream/finishWriting()`` says
/// that we have finished, and reading goes on. ``ByteStream/close()`` says so too, unless something that was written has not left.
/// A failure is thrown by each later call, too.
///
/// Over a stream that is no connection of the loop's, a close lets what was written leave, for 30 s at most, before that stream is closed.
///
/// A write that waits for others is dropped as a whole when its task is cancelled; one that has begun leaves as a whole.
public final class TLSConnection: StreamConnection, ServedStream {
    public typealias Handle = StreamHandle

    public let stream: LoopStream
    /// Closes the connection when it is dropped itself.
    private let lower: any StreamConnection
    private let agreed: TLSAgreement
    let filter: TLSFilter

    /// Between the connection and a stream of another kind.
    private let bridge: StreamBridge?

    init(over lower: any StreamConnection, by bridge: StreamBridge?, _ filter: TLSFilter, _ agreed: TLSAgreement) {
        self.lower = lower
        self.bridge = bridge
        self.filter = filter
        self.agreed = agreed
        stream = lower.stream
    }

    deinit { bridge?.close() }

    public func close() async {
        await lower.close()
        bridge?.close()
    }

    /// Closes without saying that we have finished: the peer gets ``TLSError/truncated(peer:)``, or a reset. Otherwise as ``ByteStream/close()``,
    /// but that a stream below gets nothing more, whether or not it has taken what was written.
    public func abort() async {
        if let served = lower as? any ServedStream { await served.abort() } else { await lower.close() }
        await bridge?.abort()
    }

    public var peerAddress: SocketAddress? { remoteAddress }

    /// The address of the other side; `nil` for a connection that is not over TCP itself.
    public var remoteAddress: SocketAddress? { (lower as? TCPConnection)?.remoteAddress }

    /// The version that is spoken.
    public var version: TLSVersion { agreed.version }

    /// The ciphers that are used: `TLS_AES_256_GCM_SHA384`.
    public var cipherSuite: String { agreed.cipherSuite }

    /// The protocol that both sides have agreed on (ALPN); `nil` when one of them has not asked for any.
    public var applicationProtocol: String? { agreed.applicationProtocol }

    /// The server's name, as the client has asked for it (SNI).
    public var serverName: String? { agreed.serverName }

    /// The peer's certificate. On a server it is `nil` unless clients are asked for theirs.
    public var peerCertificate: TLSCertificate? { agreed.peerCertificate }

    /// Whether the connection goes on with an earlier session, without the certificates and their checks.
    public var isResumed: Bool { agreed.isResumed }

    /// For people: `TLS 1.3 over TCP connection with 127.0.0.1:443`.
    public var description: String { "\(version) over \(lower)" }
}
