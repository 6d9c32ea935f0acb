internal import CLibuv
internal import CPlatform
public import SystemPackage

/// A socket for datagrams (UDP), with or without one peer.
///
/// Bytes come as a lent `Span<UInt8>`, valid during the call only. A datagram is sent as a whole or not at all; it may get lost,
/// or arrive twice or behind a later one.
public final class UDPHandle: Handle {
    typealias OnDatagram = (UDPHandle, Span<UInt8>, Datagram.Info) -> Void
    typealias OnBatch = (UDPHandle, DatagramBatch) -> Void

    /// Who gets the datagrams that come.
    enum Consumer {
        case none
        case single(OnDatagram, limit: Int)
        case batches(OnBatch)
        /// The layer above, which takes them itself.
        case layer((UDPHandle) -> Void)
    }

    /// The datagrams of one system call on their way to the closure.
    struct Delivery {
        let receiver: DatagramReceiver
        var index = 0
        var count: Int

        init(receiver: DatagramReceiver, count: Int) {
            self.receiver = receiver
            self.count = count
        }

        @inline(__always)
        mutating func next() -> Int? {
            guard index < count else { return nil }
            defer { index += 1 }
            return index
        }
    }

    /// The family of the socket; `nil` as long as there is none.
    public internal(set) final var family: SocketAddress.Family?
    /// The system's number of the socket.
    @exclusivity(unchecked) final var socket: CInt = -1
    /// The peer of a connected socket.
    package private(set) final var peer: SocketAddress?
    /// Whether the socket tells what the network says of its datagrams.
    @exclusivity(unchecked) final var reportsErrors = false

    @exclusivity(unchecked) final var consumer = Consumer.none
    @exclusivity(unchecked) final var delivery: Delivery?
    @exclusivity(unchecked) final var onError: ((UDPHandle, UVError) -> Void)?
    /// Runs when the handle is being closed, before anything else of it ends.
    package final var onClosing: (() -> Void)?
    /// Whether libuv tells when something has come.
    @exclusivity(unchecked) final var isWatching = false
    /// Whether a callback of libuv about the socket is running, with whatever runs after it.
    @exclusivity(unchecked) final var isInCallback = false
    /// Whether the system had nothing more at the last look, in the callback that is running.
    @exclusivity(unchecked) final var isDrained = false
    /// An error that came behind datagrams of the same batch.
    @exclusivity(unchecked) final var keptError: UVError?
    /// Whether a send has taken the error that announces a report of the network.
    @exclusivity(unchecked) final var unreadReports = 0
    static let mostReports = 16
    /// Datagrams that came in one system call with others, and that nobody has taken yet.
    @exclusivity(unchecked) final var ahead = DatagramBatch()
    @exclusivity(unchecked) final var aheadTaken = 0
    /// What batches are lent in.
    final var lentBatch = DatagramBatch()
    /// Whether datagrams of one size to one address may go through the system as one.
    final var joinsDatagrams: CInt = 1
    /// Made when a datagram did not fit into the socket.
    @exclusivity(unchecked) final var backlog: DatagramBacklog?

    final var raw: UnsafeMutablePointer<uv_udp_t> { unsafe memory.assumingMemoryBound(to: uv_udp_t.self) }

    /// Creates a handle.
    ///
    /// - Parameter family: Makes the socket at once, so that options can be set before it has an address. Otherwise the first
    ///   address that it is bound to, connected to or sends to decides.
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` when the socket cannot be made.
    ///
    /// Calls `uv_udp_init_ex`.
    public init(
        on loop: Loop, family: SocketAddress.Family? = nil, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        // The flag is for `usesSystemBatches`: libuv gets no memory to receive into, see `UDPHandle+Receiving`.
        let flags = UInt32(AF_UNSPEC) | UInt32(UV_UDP_RECVMMSG.rawValue)
        unsafe try super.init(on: loop, as: uv_udp_t.self, "socket creation", file, line) {
            unsafe uv_udp_init_ex(loop.raw, $0, flags)
        }
        guard let family else { return }
        do throws(UVError) { try makeSocket(family, "socket creation") } catch {
            close()
            throw error
        }
    }

    /// Makes the socket, if there is none.
    ///
    /// With libuv's own a handle would not know that it is one of IPv6 before it is bound.
    final func makeSocket(_ family: SocketAddress.Family, _ operation: StaticString) throws(UVError) {
        if self.family != nil { return }
        let socket = cplatform_socket(family.number, datagramSocketType)
        try checkSystem(socket, operation)
        do throws(UVError) { try take(socket, family, operation) } catch {
            FileDescriptor(rawValue: socket).closeIgnoringErrors()
            throw error
        }
    }

    private final func take(
        _ socket: CInt, _ family: SocketAddress.Family, _ operation: StaticString, of subject: String? = nil
    ) throws(UVError) {
        // libuv lets others take the address of each socket that it gets.
        let mayBeShared = SocketOption.number(.reuseAddress, of: socket)
        try check(unsafe uv_udp_open(raw, socket), operation, of: subject)
        if mayBeShared == 0 { try? SocketOption.set(.reuseAddress, 0, socket, operation) }
        self.family = family
        unsafe self.socket = socket
        unsafe reportsErrors = cplatform_report_network_errors(socket, family.number, 1) == 0
    }

    /// Takes over a socket that somebody else made, bound or connected or neither. The handle closes it from now on.
    ///
    /// - Throws: ``UVError`` with `.protocolWrongTypeForSocket` for a socket of another type, `.addressFamilyNotSupported` for a
    ///   local one, `.notSocket` for what is no socket, `.fileExists` when the loop watches the descriptor already, `.resourceBusy`
    ///   when the handle has a socket. The descriptor stays the caller's then.
    ///
    /// Calls `uv_udp_open`.
    public final func open(_ descriptor: FileDescriptor) throws(UVError) {
        try checkOpen("open")
        let subject = "descriptor \(descriptor.rawValue)"
        if family != nil { throw UVError(.resourceBusy, in: "open", of: subject) }
        guard let type = SocketOption.type(of: descriptor.rawValue) else {
            throw UVError(.lastSystemError, in: "open", of: subject)
        }
        guard type == datagramSocketType else { throw UVError(.protocolWrongTypeForSocket, in: "open", of: subject) }
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor.rawValue, $0, &size)
            }
        }
        guard let address = SocketAddress(&storage) else {
            throw UVError(.addressFamilyNotSupported, in: "open", of: subject)
        }
        try take(descriptor.rawValue, address.family, "open", of: subject)
        peer = try? remoteAddress
    }

    // MARK: Addresses

    /// Gives the socket an address of this machine. An address that somebody has is an error here and now.
    ///
    /// - Parameter address: Port 0 lets the system choose: see ``localAddress``.
    /// - Parameter ipv6Only: Whether an IPv6 socket leaves IPv4 to others; false takes both where the address is `::`, and IPv4
    ///   peers have addresses such as `::ffff:127.0.0.1`.
    /// - Parameter reuseAddress: Lets several sockets that all ask for it have the address (SO_REUSEADDR): datagrams to a group
    ///   come to all of them, others to the last one only.
    /// - Parameter reusePort: Lets several sockets that all ask for it share the address (SO_REUSEPORT): the kernel spreads the
    ///   senders over them.
    /// - Throws: ``UVError`` with `.addressInUse`, `.addressNotAvailable`, `.permissionDenied` for a port below 1,024,
    ///   `.invalidArgument` when the socket has an address already, or is of the other family.
    ///
    /// Calls `uv_udp_bind`.
    public final func bind(
        to address: SocketAddress, ipv6Only: Bool = false, reuseAddress: Bool = false, reusePort: Bool = false
    ) throws(UVError) {
        try checkOpen("bind")
        try makeSocket(address.family, "bind")
        if reusePort { try SocketOption.set(.reusePort, 1, unsafe socket, "bind") }
        if family == .ipv6 { try SocketOption.set(.ipv6Only, ipv6Only ? 1 : 0, unsafe socket, "bind") }
        let flags = reuseAddress ? UInt32(UV_UDP_REUSEADDR.rawValue) : 0
        let status = unsafe address.withSockaddr { address, _ in unsafe uv_udp_bind(raw, address, flags) }
        try check(status, "bind", of: address.description)
    }

    /// Chooses the one peer: from now on the socket sends to it without an address, and receives from nobody else.
    ///
    /// Nothing is sent, and nobody answers: whether somebody listens there tells the first datagram.
    ///
    /// - Throws: ``UVError`` with `.socketIsConnected` when there is a peer already, `.networkUnreachable` when the system knows
    ///   no way, `.permissionDenied` for a broadcast address without ``setBroadcast(enabled:)``.
    ///
    /// Calls `uv_udp_connect`.
    public final func connect(to address: SocketAddress) throws(UVError) {
        try checkOpen("connect")
        try makeSocket(address.family, "connect")
        let status = unsafe address.withSockaddr { address, _ in unsafe uv_udp_connect(raw, address) }
        try check(status, "connect", of: address.description)
        peer = address
    }

    /// Leaves the peer: the socket receives from everybody again, at the same port.
    ///
    /// - Throws: ``UVError`` with `.socketNotConnected` when there is no peer, `.addressInUse` when somebody has taken the port in
    ///   this very moment.
    public final func disconnect() throws(UVError) {
        try checkOpen("disconnect")
        let port = try? localAddress.port
        try check(unsafe uv_udp_connect(raw, nil), "disconnect")
        peer = nil
        // Linux takes a port away that it has chosen itself.
        guard let port, var address = try? localAddress, address.port != port else { return }
        address.port = port
        let status = unsafe address.withSockaddr { unsafe systemBind(socket, $0, $1) }
        try checkSystem(status, "disconnect", of: address.description)
    }

    /// The address of this side. A socket without one gets it when it is connected or sends.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` before there is a socket.
    ///
    /// Calls `uv_udp_getsockname`.
    public final var localAddress: SocketAddress {
        get throws(UVError) { unsafe try socketAddress("localAddress") { unsafe uv_udp_getsockname(raw, $0, $1) } }
    }

    /// The address of the peer.
    ///
    /// - Throws: ``UVError`` with `.socketNotConnected` without a peer, `.badFileDescriptor` before there is a socket.
    ///
    /// Calls `uv_udp_getpeername`.
    public final var remoteAddress: SocketAddress {
        get throws(UVError) { unsafe try socketAddress("remoteAddress") { unsafe uv_udp_getpeername(raw, $0, $1) } }
    }

    // MARK: State

    /// Whether the system takes and gives several datagrams in one call; otherwise batches are a call for each datagram.
    ///
    /// Calls `uv_udp_using_recvmmsg`.
    public final var usesSystemBatches: Bool {
        checkThread()
        return unsafe isOpen && uv_udp_using_recvmmsg(raw) != 0
    }

    /// How many datagrams the system has dropped because nobody took those before in time; `nil` where the system does not say.
    public final var systemDropCount: Int? {
        checkThread()
        guard isOpen, unsafe socket >= 0 else { return nil }
        let count = unsafe cplatform_dropped_datagrams(socket)
        return count < 0 ? nil : Int(count)
    }

    override var noun: String { peer.map { "UDP socket to \($0)" } ?? "UDP socket" }

    // MARK: Closing

    /// libuv 1.44.2 goes on with the writing side of a socket that is closed in a callback about its reading side, and uses
    /// memory that is freed by then. So the close waits for the next turn if there is something to be written.
    override func beginClose() {
        guard unsafe isInCallback, unsafe uv_udp_get_send_queue_count(raw) > 0 else { return super.beginClose() }
        unsafe uv_udp_recv_stop(raw)
        do throws(UVError) {
            let timer = try TimerHandle(on: loop)
            timer.isInternal = true
            try timer.start(after: .zero) { timer in
                timer.close()
                self.closeNow()
            }
        } catch {
            assertionFailure("a timer needs nothing of the system: \(error)")
            closeNow()
        }
    }

    private func closeNow() { super.beginClose() }

    override func willClose() {
        let call = onClosing.take()
        call?()
    }

    override func dropClosures() {
        unsafe consumer = .none
        unsafe onError = nil
        unsafe ahead = DatagramBatch()
        unsafe aheadTaken = 0
        lentBatch = DatagramBatch()
    }
}
