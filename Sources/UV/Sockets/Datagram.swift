/// A datagram that was received.
public struct Datagram: Hashable, Sendable {
    /// What is known of a datagram besides its bytes.
    public struct Info: Hashable, Sendable {
        /// Who has sent it.
        public let from: SocketAddress
        /// Whether bytes are missing at its end, because it was longer than the receiver wanted.
        public let isTruncated: Bool

        /// What is known of a datagram, for tests.
        @inline(__always)
        public init(from: SocketAddress, isTruncated: Bool = false) {
            self.from = from
            self.isTruncated = isTruncated
        }
    }

    /// Its bytes; none for an empty datagram.
    public let bytes: [UInt8]
    /// What is known of it besides its bytes.
    public let info: Info

    /// Who has sent it.
    public var from: SocketAddress { info.from }
    /// Whether bytes are missing at its end, because it was longer than the receiver wanted.
    public var isTruncated: Bool { info.isTruncated }

    /// A datagram, for tests.
    public init(_ bytes: [UInt8], _ info: Info) {
        self.bytes = bytes
        self.info = info
    }

    /// Copies lent bytes.
    @inline(__always)
    public init(copying bytes: Span<UInt8>, _ info: Info) { self.init([UInt8](copying: bytes), info) }
}
