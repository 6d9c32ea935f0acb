public import UV

/// A socket for datagrams (UDP), with or without one peer. Dropping the last reference closes it.
///
/// Datagrams wait in the system until somebody asks for them, but for a few that come in the same system call; the system drops
/// those that it has no room for (``systemDropCount``). ``datagrams(queue:upTo:overflow:)`` receives ahead of demand.
///
/// ```swift
/// let socket = try await UDPSocket.bind(host: "127.0.0.1", port: 7000)
/// for try await element in try await socket.datagrams(queue: 1_024) {
///     guard case .success(let datagram) = element else { continue }  // say, a client that is gone
///     try await socket.send(datagram.bytes, to: datagram.from)
/// }
/// ```
public final class UDPSocket: Sendable {
    /// The loop that the socket lives on.
    public let loop: EventLoop
    /// The address of this side, with the port that the system chose for 0.
    public let localAddress: SocketAddress
    /// The one peer of a connected socket.
    public let remoteAddress: SocketAddress?
    let core: LoopBound<UDPCore>
    /// What the options say of it.
    let reportsErrors: Bool?

    private init(_ handle: UDPHandle, reports: Bool?, on loop: EventLoop) throws(UVError) {
        reportsErrors = reports
        localAddress = try handle.localAddress
        remoteAddress = handle.peer
        self.loop = loop
        core = LoopBound(UDPCore(handle))
    }

    deinit {
        let (core, loop) = (core, loop)
        if loop.isCurrent { core.open(on: loop).close() } else { loop.post { core.open(on: loop).close() } }
    }

    // MARK: Making

    /// Makes a socket that has an address of this machine, and receives from everybody.
    ///
    /// - Parameter address: Port 0 lets the system choose: see ``localAddress``.
    /// - Parameter options: Set before the socket has its address.
    /// - Throws: ``UVError`` with `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.invalidArgument` for options out of
    ///   range, `.canceled` when the loop ends.
    ///
    /// Cancellation: there is no socket.
    ///
    /// Calls `uv_udp_bind`.
    public static func bind(
        to address: SocketAddress, options: UDPOptions = UDPOptions(), on loop: EventLoop = .current ?? .shared
    ) async throws -> UDPSocket {
        try await make("bind", reports: options.reportsErrors, on: loop) { handle throws(UVError) in
            try handle.bind(to: address, options: options)
            if options.reportsErrors == nil { try? handle.setReportsErrors(enabled: false) }
        }
    }

    /// Makes a socket that has an address of this machine. Otherwise as ``bind(to:options:on:)``.
    ///
    /// - Parameter host: A numeric address, or a name, whose first address is taken.
    /// - Parameter family: Takes the host's first address of this family; `nil` takes the first of all.
    /// - Throws: Also what the look-up of the name failed with.
    public static func bind(
        host: String, port: UInt16, family: SocketAddress.Family? = nil, options: UDPOptions = UDPOptions(),
        on loop: EventLoop = .current ?? .shared
    ) async throws -> UDPSocket {
        let addresses = try await Resolver.addresses(of: host, port: port, in: family, on: loop)
        return try await bind(to: addresses[0], options: options, on: loop)
    }

    /// Makes a socket that sends to one peer, and receives from nobody else.
    ///
    /// Nothing is sent, and nobody answers: that nobody listens there, a receive after the first `send(_:to:timeout:)` tells.
    ///
    /// - Parameter localAddress: The address of this side; `nil` lets the system choose.
    /// - Parameter options: Set before the socket has its address.
    /// - Throws: ``UVError`` with `.networkUnreachable` and relatives, else as ``bind(to:options:on:)``.
    ///
    /// Cancellation: there is no socket.
    ///
    /// Calls `uv_udp_connect`.
    public static func connect(
        to address: SocketAddress, from localAddress: SocketAddress? = nil, options: UDPOptions = UDPOptions(),
        on loop: EventLoop = .current ?? .shared
    ) async throws -> UDPSocket {
        let own = localAddress ?? (address.family == .ipv4 ? .anyIPv4(port: 0) : .anyIPv6(port: 0))
        return try await make("connect", reports: options.reportsErrors, on: loop) { handle throws(UVError) in
            try handle.bind(to: own, options: options)
            try handle.connect(to: address)
        }
    }

    /// Makes a socket that sends to one peer. Otherwise as ``connect(to:from:options:on:)``.
    ///
    /// - Parameter host: A numeric address, or a name, whose first address is taken.
    /// - Parameter family: Takes the host's first address of this family; `nil` takes the first of all.
    /// - Throws: Also what the look-up of the name failed with.
    public static func connect(
        host: String, port: UInt16, family: SocketAddress.Family? = nil, from localAddress: SocketAddress? = nil,
        options: UDPOptions = UDPOptions(), on loop: EventLoop = .current ?? .shared
    ) async throws -> UDPSocket {
        let family = family ?? localAddress?.family
        let addresses = try await Resolver.addresses(of: host, port: port, in: family, on: loop)
        return try await connect(to: addresses[0], from: localAddress, options: options, on: loop)
    }

    /// Takes over a socket that somebody else made: the program that started this one, another library. It is closed from now on
    /// with this one.
    ///
    /// - Throws: ``UVError`` with `.notSocket`, `.protocolWrongTypeForSocket`, `.addressFamilyNotSupported` for a local one, or
    ///   `.fileExists` (the loop watches it already): the descriptor stays the caller's then.
    ///
    /// Calls `uv_udp_open`.
    public static func open(
        _ descriptor: FileDescriptor, on loop: EventLoop = .current ?? .shared
    ) async throws -> UDPSocket {
        try await make("open", reports: nil, on: loop) { handle throws(UVError) in try handle.open(descriptor) }
    }

    static func make(
        _ operation: StaticString, reports: Bool?, on loop: EventLoop,
        _ prepare: @escaping @Sendable (UDPHandle) throws(UVError) -> Void
    ) async throws -> UDPSocket {
        try Task.checkCancellation()
        return try await loop.making(operation) { callbackLoop in
            let handle = try UDPHandle(on: callbackLoop)
            do {
                try prepare(handle)
                return try UDPSocket(handle, reports: reports, on: loop)
            } catch {
                handle.close()
                throw error
            }
        }
    }

    // MARK: Closing

    /// Closes the socket, in a cancelled task too. Who waits gets `.canceled`, and datagrams that have not left are dropped.
    /// Closing twice is harmless.
    public func close() async {
        if loop.isCurrent { return core.open(on: loop).close() }
        // A loop that has ended has closed everything.
        try? await loop.hop { self.core.open(on: self.loop).close() }
    }

    // MARK: The handle

    /// Runs a closure with the handle, on the loop.
    func withHandle<Value: Sendable>(_ body: @Sendable (UDPHandle) throws -> Value) async throws -> Value {
        if loop.isCurrent { return try body(core.open(on: loop).handle) }
        return try await loop.hop { try body(self.core.open(on: self.loop).handle) }
    }
}

extension UDPSocket: CustomStringConvertible {
    /// For people: `UDP socket on 127.0.0.1:7000`, `UDP socket on 127.0.0.1:7001 to 127.0.0.1:7000`.
    public var description: String { "UDP socket on \(localAddress)" + (remoteAddress.map { " to \($0)" } ?? "") }
}
