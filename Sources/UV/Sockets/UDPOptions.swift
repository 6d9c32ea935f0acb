/// Options of a UDP socket, for the time before it has an address.
public struct UDPOptions: Hashable, Sendable {
    /// Lets several sockets that all ask for it have the address: see ``UDPHandle/bind(to:ipv6Only:reuseAddress:reusePort:)``.
    public var reuseAddress: Bool
    /// Lets several sockets that all ask for it share the address; the kernel spreads the senders over them.
    public var reusePort: Bool
    /// Whether `::` leaves IPv4 to others.
    public var ipv6Only: Bool
    /// Allows datagrams to broadcast addresses.
    public var broadcast: Bool
    /// Whether receivers get what the network says of datagrams that were sent: see ``UDPHandle/setReportsErrors(enabled:)``.
    ///
    /// `nil` lets a ``UDPHandle`` report; of async sockets the connected ones, and the others in a sequence of datagrams only, so
    /// that a server that receives in a loop does not end because a client has gone.
    public var reportsErrors: Bool?
    /// How many routers a datagram may pass, 1 to 255; `nil` leaves it to the system.
    public var ttl: Int?
    /// How many routers a datagram to a group may pass, 0 to 255; `nil` leaves it to the system, which lets it pass none.
    public var multicastTTL: Int?
    /// Whether datagrams to a group come to receivers on this machine, too.
    public var multicastLoop: Bool
    /// The interface that datagrams to groups leave by; `nil` leaves it to the system.
    public var multicastInterface: MulticastInterface?
    /// The size of the system's send buffer in bytes, 1 at least; `nil` leaves it to the system.
    public var sendBufferSize: Int?
    /// The size of the system's receive buffer in bytes, 1 at least; `nil` leaves it to the system.
    public var receiveBufferSize: Int?

    /// What is left out is off, or left to the system.
    public init(
        reuseAddress: Bool = false, reusePort: Bool = false, ipv6Only: Bool = false, broadcast: Bool = false,
        reportsErrors: Bool? = nil, ttl: Int? = nil, multicastTTL: Int? = nil, multicastLoop: Bool = true,
        multicastInterface: MulticastInterface? = nil, sendBufferSize: Int? = nil, receiveBufferSize: Int? = nil
    ) {
        self.reuseAddress = reuseAddress
        self.reusePort = reusePort
        self.ipv6Only = ipv6Only
        self.broadcast = broadcast
        self.reportsErrors = reportsErrors
        self.ttl = ttl
        self.multicastTTL = multicastTTL
        self.multicastLoop = multicastLoop
        self.multicastInterface = multicastInterface
        self.sendBufferSize = sendBufferSize
        self.receiveBufferSize = receiveBufferSize
    }
}

extension UDPHandle {
    /// Sets all options that differ from the system's defaults, but those that belong to
    /// ``bind(to:ipv6Only:reuseAddress:reusePort:)``.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for numbers out of range, `.badFileDescriptor` before there is a socket.
    public final func setOptions(_ options: UDPOptions) throws(UVError) {
        if options.broadcast { try setBroadcast(enabled: true) }
        if let enabled = options.reportsErrors { try setReportsErrors(enabled: enabled) }
        if let hops = options.ttl { try setTTL(hops) }
        if let hops = options.multicastTTL { try setMulticastTTL(hops) }
        if !options.multicastLoop { try setMulticastLoop(enabled: false) }
        if let interface = options.multicastInterface { try setMulticastInterface(interface) }
        if let size = options.sendBufferSize { try setSendBufferSize(size) }
        if let size = options.receiveBufferSize { try setReceiveBufferSize(size) }
    }

    /// Gives the socket an address of this machine, with these options.
    ///
    /// - Throws: As ``bind(to:ipv6Only:reuseAddress:reusePort:)`` and ``setOptions(_:)``.
    public final func bind(to address: SocketAddress, options: UDPOptions) throws(UVError) {
        try checkOpen("bind")
        try makeSocket(address.family, "bind")
        try setOptions(options)
        try bind(
            to: address, ipv6Only: options.ipv6Only, reuseAddress: options.reuseAddress, reusePort: options.reusePort)
    }
}
