public import UV

/// A TCP socket that accepts connections. Dropping the last reference closes it.
///
/// Its connections send small writes at once (TCP_NODELAY), which the kernel lets them have from the listening socket.
///
/// Connections wait in the kernel until somebody asks for them, but for a few that are accepted ahead.
public final class TCPListener: Sendable {
    /// The loop that the listener and its connections live on.
    public var loop: EventLoop { listener.loop }
    /// The address that it listens on, with the port that the system chose for 0.
    public let localAddress: SocketAddress
    let listener: LoopListener<TCPHandle, TCPConnection>

    private init(_ handle: TCPHandle, backlog: Int, on loop: EventLoop) throws(UVError) {
        localAddress = try handle.localAddress
        listener = try LoopListener(handle, backlog: backlog, on: loop)
    }

    /// Listens on an address of this machine.
    ///
    /// - Parameter host: A numeric address, or a name, whose first address is taken.
    /// - Parameter family: Takes the host's first address of this family; `nil` takes the first of all.
    /// - Parameter port: 0 lets the system choose: see ``localAddress``.
    /// - Parameter backlog: How many connections may wait in the kernel.
    /// - Parameter reusePort: Lets several listeners share the address: the kernel spreads the connections.
    /// - Parameter ipv6Only: Whether `::` leaves IPv4 to others.
    /// - Parameter options: Set before the socket listens; its connections have them, too. Without a word about `noDelay` that is
    ///   on.
    /// - Throws: ``UVError`` with `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.invalidArgument` for a backlog
    ///   below 1 or a name that cannot be one, `.addressFamilyNotSupported` for a host without an address of the family, or what
    ///   the look-up of the name failed with.
    ///
    /// Cancellation: nothing listens.
    ///
    /// Calls `uv_tcp_init` and the system's `bind` and `listen`.
    public static func bind(
        host: String, port: UInt16, family: SocketAddress.Family? = nil, backlog: Int = 1_024,
        reusePort: Bool = false, ipv6Only: Bool = false, options: TCPOptions = TCPOptions(),
        on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPListener {
        let addresses = try await Resolver.addresses(of: host, port: port, in: family, on: loop)
        return try await bind(
            to: addresses[0], backlog: backlog, reusePort: reusePort, ipv6Only: ipv6Only, options: options, on: loop)
    }

    /// Listens on an address of this machine. Otherwise as
    /// ``bind(host:port:family:backlog:reusePort:ipv6Only:options:on:)``.
    public static func bind(
        to address: SocketAddress, backlog: Int = 1_024, reusePort: Bool = false, ipv6Only: Bool = false,
        options: TCPOptions = TCPOptions(), on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPListener {
        try await make(backlog, on: loop) { handle throws(UVError) in
            try handle.bind(to: address, ipv6Only: ipv6Only, reusePort: reusePort)
            try handle.setAsyncOptions(options)
        }
    }

    /// Takes over a listening socket that somebody else made: the program that started this one, another library.
    ///
    /// The listener closes it from now on, and its connections send small writes at once.
    ///
    /// - Parameter backlog: Replaces the one that the socket has.
    /// - Throws: ``UVError`` with `.notSocket` or `.fileExists` (the loop watches it already): the descriptor stays the
    ///   caller's then. `.invalidArgument` for a connected socket, which is closed.
    public static func open(
        _ descriptor: FileDescriptor, backlog: Int = 1_024, on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPListener {
        try await make(backlog, on: loop) { handle throws(UVError) in
            try handle.open(descriptor)
            try handle.setNoDelay(enabled: true)
        }
    }

    /// Listens with a handle that `prepare` gives its socket.
    static func make(
        _ backlog: Int, on loop: EventLoop, _ prepare: @escaping @Sendable (TCPHandle) throws(UVError) -> Void
    ) async throws -> TCPListener {
        try Task.checkCancellation()
        return try await loop.making("bind") { callbackLoop in
            let handle = try TCPHandle(on: callbackLoop)
            do {
                try prepare(handle)
                return try TCPListener(handle, backlog: backlog, on: loop)
            } catch {
                handle.close()
                throw error
            }
        }
    }

    deinit { listener.drop() }

    /// Takes the next connection; `nil` when the listener has been closed, and none is left of those that it accepted ahead
    /// for a ``serve(maxConnections:idleTimeout:onError:_:)``.
    ///
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` and relatives while the system is out of something, `.notPermitted`
    ///   when a firewall forbids a connection; the listener goes on, and so should the caller. `.canceled` when the loop ends.
    ///
    /// Cancellation: no connection is lost.
    public func accept() async throws -> TCPConnection? { try await listener.accept() }

    /// Takes the next connection if one comes in time. Otherwise as ``accept()``.
    ///
    /// - Parameter timeout: How long to wait, `nil` for ever. Zero and less wait for nothing but what was accepted ahead.
    /// - Throws: ``UVError`` with `.timedOut`; no connection is lost.
    public func accept(timeout: Duration?) async throws -> TCPConnection? {
        try await listener.accept(within: timeout, of: "\(localAddress)")
    }

    /// The connections as they are asked for; the sequence ends when the listener is closed. It waits through a lack of
    /// descriptors, of which the handler of ``Diagnostics`` is told once a second.
    public var connections: some AsyncSequence<TCPConnection, any Error> & Sendable {
        Connections(listener: listener, owner: self)
    }

    /// The handle's label: a name of the user's own for lists of open handles.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public var label: String? {
        get async throws { try await listener.withHandle { $0.label } }
    }

    /// Gives the handle a label. A listener that is closed has none to give.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public func setLabel(_ label: String?) async throws { try await listener.withHandle { $0.label = label } }

    /// Stops listening; connections that wait in the kernel are refused, those accepted live on. The few accepted ahead are
    /// served if there is a ``serve(maxConnections:idleTimeout:onError:_:)``, else closed. Closing twice is harmless.
    public func close() async { await listener.close() }
}

extension TCPListener: CustomStringConvertible {
    /// For people: `TCP listener on 127.0.0.1:7000`.
    public var description: String { "TCP listener on \(localAddress)" }
}
