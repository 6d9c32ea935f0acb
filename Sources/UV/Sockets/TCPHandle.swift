internal import CLibuv
internal import CPlatform
public import SystemPackage

/// A TCP socket: a connection, or a listener that hands over connections.
public final class TCPHandle: StreamHandle, ListeningStream {
    /// The other side's address, which the system forgets when the connection ends.
    package private(set) var peer: SocketAddress?
    /// Whether the user chose the port of this side.
    private var hasChosenPort = false
    var raw: UnsafeMutablePointer<uv_tcp_t> { unsafe memory.assumingMemoryBound(to: uv_tcp_t.self) }

    /// Creates a handle without a connection.
    ///
    /// - Parameter family: Makes the socket at once, so that options can be set before it connects.
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` when the socket cannot be made.
    ///
    /// Calls `uv_tcp_init_ex`.
    public init(
        on loop: Loop, family: SocketAddress.Family? = nil, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        let domain = family?.number ?? AF_UNSPEC
        unsafe try super.init(on: loop, as: uv_tcp_t.self, "socket creation", file, line) {
            unsafe uv_tcp_init_ex(loop.raw, $0, UInt32(domain))
        }
    }

    /// Two handles connected with each other through the kernel. Calls `uv_socketpair`.
    public static func pair(
        on loop: Loop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> (TCPHandle, TCPHandle) {
        try connectedPair { socket throws(UVError) in
            let handle = try TCPHandle(on: loop, adopting: socket, of: nil, file, line)
            handle.countConnection()
            return handle
        }
    }

    /// Takes a connected socket that does not block, and closes it when that fails.
    convenience init(
        on loop: Loop, adopting socket: CInt, of peer: SocketAddress?, _ file: StaticString = #fileID,
        _ line: UInt = #line
    ) throws(UVError) {
        do { try self.init(on: loop, file: file, line: line) } catch {
            FileDescriptor(rawValue: socket).closeIgnoringErrors()
            throw error
        }
        self.peer = peer
        let status = unsafe clibuv_adopt(raw, socket)
        guard status < 0 else { return }
        FileDescriptor(rawValue: socket).closeIgnoringErrors()
        close()
        try check(status, "open", of: "descriptor \(socket)")
    }

    /// Takes over a socket that somebody else made, connected or listening. The handle closes it from now on.
    ///
    /// - Throws: ``UVError`` with `.notSocket` for a regular file or another thing that is no socket, `.fileExists` when
    ///   the loop watches the descriptor already, `.resourceBusy` when the handle has a socket. The descriptor stays
    ///   the caller's then.
    ///
    /// Calls `uv_tcp_open`.
    public func open(_ descriptor: FileDescriptor) throws(UVError) {
        try checkOpen("open")
        let subject = "descriptor \(descriptor.rawValue)"
        guard let type = SocketOption.type(of: descriptor.rawValue) else {
            throw UVError(.lastSystemError, in: "open", of: subject)
        }
        guard type == streamSocketType, [AF_INET, AF_INET6].contains(SocketOption.family(of: descriptor.rawValue))
        else {
            throw UVError(.protocolWrongTypeForSocket, in: "open", of: subject)
        }
        try check(unsafe uv_tcp_open(raw, descriptor.rawValue), "open", of: subject)
        peer = try? remoteAddress
        if peer != nil { countConnection() }
    }

    // MARK: Connecting

    /// Connects to a peer.
    ///
    /// - Parameter onDone: Called once: with `nil` when connected, `.connectionRefused`, `.timedOut` (the system's own,
    ///   after minutes), or `.canceled` when the handle was closed first. A port of this machine that nobody listens on is
    ///   refused even when the system chose the same port for this side, and so connected the socket with itself.
    /// - Throws: ``UVError`` with `.alreadyInProcess` or `.socketIsConnected` when the handle has a peer,
    ///   `.networkUnreachable` when the system knows no way.
    ///
    /// Calls `uv_tcp_connect`.
    public func connect(
        to address: SocketAddress, onDone: @escaping (TCPHandle, UVError?) -> Void
    ) throws(UVError) {
        try checkOpen("connect")
        // Linux does not refuse a second connect while the first is under way.
        if unsafe stream.pointee.connect_req == nil, (try? remoteAddress) != nil {
            throw UVError(.socketIsConnected, in: "connect", of: address.description)
        }
        let request = ConnectRequest(on: loop, to: address.description) { [self] error in
            let isRefused = error == nil && !connected(to: address)
            onDone(self, isRefused ? UVError(.connectionRefused, in: "connect", of: address.description) : error)
        }
        unsafe try request.begin { request, done in
            unsafe address.withSockaddr { address, _ in unsafe uv_tcp_connect(request, raw, address, done) }
        }
    }

    /// - Returns: False for a connection with itself that nobody wanted, which is ended.
    func connected(to address: SocketAddress) -> Bool {
        peer = address.isAny ? try? remoteAddress : address
        guard !hasChosenPort, let peer, (try? localAddress) == peer, let socket = try? fileDescriptor.rawValue else {
            noteConnected()
            return true
        }
        self.peer = nil
        if cplatform_disconnect(socket) == 0 { return false }
        noteConnected()
        return true
    }

    // MARK: Listening

    /// Gives the socket an address of this machine. An address that somebody listens on is an error here and now.
    ///
    /// Restarted servers get their port back at once (SO_REUSEADDR).
    ///
    /// - Parameter address: Port 0 lets the system choose: see ``localAddress``.
    /// - Parameter ipv6Only: Whether an IPv6 socket leaves IPv4 to others; false takes both where the address is `::`.
    /// - Parameter reusePort: Lets several sockets that all ask for it share the address (SO_REUSEPORT): the kernel
    ///   spreads the connections over them.
    /// - Throws: ``UVError`` with `.addressInUse`, `.addressNotAvailable`, `.permissionDenied` for a port below 1,024,
    ///   `.invalidArgument` when the handle has an address already.
    ///
    /// Replaces `uv_tcp_bind`: it does not report an address in use before `uv_listen`.
    public func bind(
        to address: SocketAddress, ipv6Only: Bool = false, reusePort: Bool = false
    ) throws(UVError) {
        try checkOpen("bind")
        let subject = address.description
        let existing = try? fileDescriptor.rawValue
        let socket = existing ?? cplatform_socket(address.family.number, streamSocketType)
        try checkSystem(socket, "bind", of: subject)
        do throws(UVError) {
            try SocketOption.set(.reuseAddress, 1, socket, "bind")
            if reusePort { try SocketOption.set(.reusePort, 1, socket, "bind") }
            if address.family == .ipv6 { try SocketOption.set(.ipv6Only, ipv6Only ? 1 : 0, socket, "bind") }
            try checkSystem(unsafe address.withSockaddr { unsafe systemBind(socket, $0, $1) }, "bind", of: subject)
            if existing == nil { try check(unsafe uv_tcp_open(raw, socket), "bind", of: subject) }
            hasChosenPort = address.port != 0
        } catch {
            if existing == nil { FileDescriptor(rawValue: socket).closeIgnoringErrors() }
            throw error
        }
    }

    /// Accepts connections from now on and hands each over, ready for use; drop or close the ones that you do not want.
    ///
    /// An unbound handle gets a free port on every IPv4 address. When the process is out of descriptors the closure gets
    /// the error (`.tooManyOpenFiles` and relatives), about every 50 ms as long as it lasts; the clients wait meanwhile,
    /// and accepting goes on by itself.
    ///
    /// - Parameter backlog: How many connections may wait in the kernel, which has a limit of its own.
    /// - Throws: ``UVError`` with `.invalidArgument` for a backlog below 1 or an absurd one, `.addressInUse`,
    ///   `.alreadyInProcess` when listening already.
    ///
    /// Replaces `uv_listen`: it can call back for ever within one turn when descriptors have run out.
    /// Replaces `uv_accept`: after its failure a listener accepts nothing more.
    public func listen(
        backlog: Int = 1_024, onConnection: @escaping (TCPHandle, Result<TCPHandle, UVError>) -> Void
    ) throws(UVError) {
        try checkOpen("listen")
        try startAccepting(backlog: backlog) { [unowned self] accepted in
            onConnection(
                self,
                accepted.flatMap { accepted in
                    Result { () throws(UVError) in
                        let handle = try TCPHandle(on: loop, adopting: accepted.socket, of: accepted.peer)
                        handle.noteAccepted()
                        return handle
                    }
                })
        }
    }

    override func prepareToListen() throws(UVError) {
        if (try? fileDescriptor) == nil { try bind(to: .anyIPv4(port: 0)) }
    }

    override var localName: String? { (try? localAddress)?.description }

    /// Whether one turn may accept many connections (the default) or leaves some to other processes that listen on
    /// the same socket.
    ///
    /// Calls `uv_tcp_simultaneous_accepts`.
    public func setSimultaneousAccepts(enabled: Bool) throws(UVError) {
        try checkOpen("setSimultaneousAccepts")
        try check(unsafe uv_tcp_simultaneous_accepts(raw, enabled ? 1 : 0), "setSimultaneousAccepts")
        acceptor?.acceptsMany = enabled
    }

    package override var peerName: String? { peer?.description }

    // MARK: Addresses

    /// The address of this side.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` before there is a socket, `.addressFamilyNotSupported` for a pair.
    ///
    /// Calls `uv_tcp_getsockname`.
    public var localAddress: SocketAddress {
        get throws(UVError) {
            unsafe try socketAddress("localAddress") { unsafe uv_tcp_getsockname(raw, $0, $1) }
        }
    }

    /// The address of the other side.
    ///
    /// - Throws: ``UVError`` with `.socketNotConnected` without a connection, else as ``localAddress``.
    ///
    /// Calls `uv_tcp_getpeername`.
    public var remoteAddress: SocketAddress {
        get throws(UVError) {
            unsafe try socketAddress("remoteAddress") { unsafe uv_tcp_getpeername(raw, $0, $1) }
        }
    }

    // MARK: Closing

    /// Closes the connection with a reset: the peer gets `.connectionReset`, unsent bytes are dropped.
    ///
    /// Calls `uv_tcp_close_reset`.
    public func closeWithReset(onClosed: ((Handle) -> Void)? = nil) {
        end(onClosed) {
            guard unsafe uv_tcp_close_reset(raw, closeFinished) < 0 else { return }
            // libuv refuses while a shutdown is under way.
            if let descriptor = try? fileDescriptorOfClosing { SocketOption.resetOnClose(descriptor) }
            unsafe uv_close(base, closeFinished)
        }
    }

    private var fileDescriptorOfClosing: CInt {
        get throws(UVError) {
            var descriptor: uv_os_fd_t = -1
            try check(unsafe uv_fileno(base, &descriptor), "reset")
            return descriptor
        }
    }
}
