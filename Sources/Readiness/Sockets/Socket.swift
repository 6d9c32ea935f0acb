internal import CReadiness
internal import Glibc

/// Owns a stream socket's descriptor and closes it when the last reference is gone.
///
/// There is no `close()`. A class, not a non-copyable struct, because connections live in tables, closures and
/// threads at once; and closing by dropping means that no thread can ever use a number which the kernel has given to
/// somebody else meanwhile. To end a connection that another thread blocks on, call ``shutdown(_:)``.
/// Keep the socket in a stored property or a table while its descriptor is watched.
///
/// Blocking and non-blocking sockets have the same calls: a non-blocking one answers "would block" as a value.
/// Nothing here raises SIGPIPE.
public final class Socket: Sendable {
    /// The descriptor, which the socket closes when it is dropped.
    public let descriptor: CInt

    /// Takes over an open descriptor.
    public init(adopting descriptor: CInt) { self.descriptor = descriptor }

    /// Creates a socket.
    ///
    /// - Parameter endpoint: Decides between IPv4 and IPv6; not used otherwise.
    public convenience init(for endpoint: Endpoint, blocking: Bool = true) throws(SystemError) {
        let type = CInt(SOCK_STREAM.rawValue) | (blocking ? 0 : CInt(SOCK_NONBLOCK.rawValue))
        self.init(adopting: try check(readiness_socket(endpoint.family, type), "socket"))
    }

    deinit { _ = readiness_close(descriptor) }

    /// A socket that is bound and listens.
    ///
    /// - Parameter sharesPort: Several listeners may have this port (SO_REUSEPORT); the kernel spreads connections.
    public static func listening(
        on endpoint: Endpoint, backlog: CInt = 1024, blocking: Bool = true, sharesPort: Bool = false
    ) throws(SystemError) -> Socket {
        let socket = try Socket(for: endpoint, blocking: blocking)
        try socket.set(.reuseAddress, to: 1)
        if sharesPort { try socket.set(.reusePort, to: 1) }
        try socket.bind(to: endpoint)
        try socket.listen(backlog: backlog)
        return socket
    }

    /// Connects, waiting for the answer.
    public static func connected(to endpoint: Endpoint) throws(SystemError) -> Socket {
        let socket = try Socket(for: endpoint)
        try socket.connect(to: endpoint)
        return socket
    }

    /// Two sockets that are connected to each other: bytes in a stream, or whole messages.
    public static func pair(blocking: Bool = true, messages: Bool = false) throws(SystemError) -> (Socket, Socket) {
        var descriptors: (CInt, CInt) = (0, 0)
        let type = (messages ? SOCK_SEQPACKET : SOCK_STREAM).rawValue | (blocking ? 0 : SOCK_NONBLOCK.rawValue)
        let result = unsafe withUnsafeMutableBytes(of: &descriptors) { bytes in
            unsafe readiness_pair(CInt(type), bytes.baseAddress!.assumingMemoryBound(to: CInt.self))
        }
        try check(result, "socketpair")
        return (Socket(adopting: descriptors.0), Socket(adopting: descriptors.1))
    }

    /// Gives the socket its own address. Port 0 takes a free one.
    public func bind(to endpoint: Endpoint) throws(SystemError) {
        try check(unsafe readiness_bind(descriptor, endpoint.host, endpoint.port), "bind", of: "\(endpoint)")
    }

    /// Lets clients connect; so many may wait to be accepted, as far as the system allows.
    public func listen(backlog: CInt = 1024) throws(SystemError) {
        try check(readiness_listen(descriptor, backlog), "listen")
    }

    /// Starts to connect. A blocking socket is connected when this returns.
    ///
    /// - Returns: Whether it is connected. If not, wait until it is writable, then ask ``checkConnection()``.
    @discardableResult
    public func connect(to endpoint: Endpoint) throws(SystemError) -> Bool {
        let result = unsafe readiness_connect(descriptor, endpoint.host, endpoint.port)
        if result == -EINPROGRESS { return false }
        try check(result, "connect", of: "\(endpoint)")
        return true
    }

    /// Throws the error with which connecting, or the connection since, has failed. Each error is told once.
    public func checkConnection() throws(SystemError) {
        let error = try get(.error)
        try check(-error, "connect")
    }

    /// Closes one direction, or both, at once and for all holders. What a thread blocks in ends.
    public func shutdown(_ direction: Direction) throws(SystemError) {
        try check(readiness_shutdown(descriptor, direction.rawValue), "shutdown")
    }

    /// Which half of a connection.
    public struct Direction: Sendable {
        let rawValue: CInt

        /// Nothing more will be sent: the peer reads what was sent, then the end.
        public static let sending = Direction(rawValue: CInt(SHUT_WR))
        /// Nothing more will be read: what comes is dropped.
        public static let receiving = Direction(rawValue: CInt(SHUT_RD))
        /// Both halves.
        public static let both = Direction(rawValue: CInt(SHUT_RDWR))
    }

    /// Where a bound socket listens or connects from. `nil` when it is not an IP socket.
    public var localEndpoint: Endpoint? { unsafe endpoint(readiness_local_address) }

    /// The other end. `nil` when there is none (any more).
    public var remoteEndpoint: Endpoint? { unsafe endpoint(readiness_peer_address) }

    private func endpoint(_ read: (CInt, UnsafeMutablePointer<CChar>?) -> CInt) -> Endpoint? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { host in
            let port = unsafe read(descriptor, host.baseAddress)
            guard port >= 0 else { return nil }
            return unsafe Endpoint(known: String(cString: host.baseAddress!), UInt16(port))
        }
    }
}
