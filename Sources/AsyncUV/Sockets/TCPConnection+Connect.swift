public import UV

extension TCPConnection {
    /// Connects to a host.
    ///
    /// Names are looked up off the loop; their addresses are tried in turns of families, a quarter of a second apart,
    /// and the first to answer wins. The connection sends small writes at once (TCP_NODELAY), unless the options say otherwise.
    ///
    /// - Parameter host: A numeric address or a name.
    /// - Parameter family: Tries only the host's addresses of this family; `nil` tries all.
    /// - Parameter timeout: The time for look-up and connect together; `nil` leaves it to the system: minutes.
    /// - Parameter idleTimeout: Set on the connection: see ``StreamConnection/setIdleTimeout(_:)``.
    /// - Parameter localAddress: The address of this side, port 0 for any; addresses of the other family are not tried.
    /// - Parameter options: Set before the socket connects.
    /// - Throws: ``UVError`` with `.connectionRefused` and relatives or `.timedOut` (with every attempt that failed in its
    ///   text), what the look-up failed with, `.invalidArgument` for a name that cannot be one, `.addressNotAvailable` and
    ///   relatives for the local address, `.addressFamilyNotSupported` when the host has no address of the family, or of the
    ///   local address's, `.canceled` when the loop ends.
    ///
    /// Cancellation: all attempts are closed.
    ///
    /// Calls `uv_tcp_connect`; looks up with `getaddrinfo`, on a thread of ``Resolver``.
    public static func connect(
        host: String, port: UInt16, family: SocketAddress.Family? = nil, timeout: Duration? = nil,
        idleTimeout: Duration? = nil,
        from localAddress: SocketAddress? = nil, options: TCPOptions = TCPOptions(),
        on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPConnection {
        guard let timeout else {
            let addresses = try await Resolver.addresses(of: host, port: port, in: family, on: loop)
            return try await connect(
                host, to: addresses, from: localAddress, options, idleTimeout: idleTimeout, on: loop)
        }
        let deadline = LoopClock.Instant.now.advanced(by: timeout)
        let addresses: [SocketAddress]
        do {
            addresses = try await Resolver.addresses(of: host, port: port, in: family, timeout: timeout, on: loop)
        } catch let error as UVError where error.code == .timedOut {
            throw UVError(.timedOut, in: "connect", of: "\(host):\(port), still being looked up")
        }
        return try await connect(
            "\(host):\(port)", to: addresses, from: localAddress, options, until: deadline, idleTimeout: idleTimeout,
            on: loop)
    }

    /// Connects to an address. Otherwise as ``connect(host:port:family:timeout:idleTimeout:from:options:on:)``.
    public static func connect(
        to address: SocketAddress, timeout: Duration? = nil, idleTimeout: Duration? = nil,
        from localAddress: SocketAddress? = nil, options: TCPOptions = TCPOptions(),
        on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPConnection {
        let deadline = timeout.map { LoopClock.Instant.now.advanced(by: $0) }
        return try await connect(
            "\(address)", to: [address], from: localAddress, options, until: deadline, idleTimeout: idleTimeout,
            on: loop)
    }

    static func connect(
        _ host: String, to addresses: [SocketAddress], from local: SocketAddress? = nil,
        _ options: TCPOptions = TCPOptions(), until deadline: LoopClock.Instant? = nil,
        delay: Duration = .milliseconds(250), idleTimeout: Duration? = nil, on loop: EventLoop
    ) async throws -> TCPConnection {
        let addresses = addresses.filter { local == nil || $0.family == local?.family }
        if addresses.isEmpty {
            throw UVError(.addressFamilyNotSupported, in: "connect", of: "\(host) from \(local?.host ?? "")")
        }
        if let idleTimeout, idleTimeout <= .zero {
            throw UVError(.invalidArgument, in: "connect", of: "\(host) with an idle timeout of \(idleTimeout)")
        }
        let isPlain = local == nil && options == TCPOptions()
        return try await loop.perform("connect") { core, pending in
            let race = ConnectRace(host, addresses, delay: delay, on: core.loop) {
                [loop = core.loop] address throws(UVError) in
                let handle = try TCPHandle(on: loop, family: isPlain ? nil : address.family)
                do throws(UVError) {
                    try handle.setAsyncOptions(options)
                    if let local { try handle.bind(to: local) }
                } catch {
                    handle.close()
                    throw error
                }
                return handle
            } _: { result in
                pending.finish(
                    Result {
                        let connection = try TCPConnection(result.get(), on: loop)
                        connection.stream.core.open(on: loop).setIdleTimeout(idleTimeout, in: core.sleeps)
                        return connection
                    })
            }
            pending.onCancel = race.cancel
            race.start(until: deadline)
        }
    }
}

extension TCPConnection {
    /// Connects to a host for a body, and closes the connection afterwards, whatever happens.
    ///
    /// - Throws: What connecting or the body throws. Otherwise as
    ///   ``connect(host:port:family:timeout:idleTimeout:from:options:on:)``.
    public static func withConnection<Value>(
        host: String, port: UInt16, family: SocketAddress.Family? = nil, timeout: Duration? = nil,
        idleTimeout: Duration? = nil, from localAddress: SocketAddress? = nil, options: TCPOptions = TCPOptions(),
        on loop: EventLoop = .current ?? .shared, _ body: nonisolated(nonsending) (TCPConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await connect(
            host: host, port: port, family: family, timeout: timeout, idleTimeout: idleTimeout, from: localAddress,
            options: options, on: loop)
        return try await connection.closing(after: body)
    }

    /// Connects to an address for a body. Otherwise as
    /// ``withConnection(host:port:family:timeout:idleTimeout:from:options:on:_:)``.
    public static func withConnection<Value>(
        to address: SocketAddress, timeout: Duration? = nil, idleTimeout: Duration? = nil,
        from localAddress: SocketAddress? = nil, options: TCPOptions = TCPOptions(),
        on loop: EventLoop = .current ?? .shared,
        _ body: nonisolated(nonsending) (TCPConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await connect(
            to: address, timeout: timeout, idleTimeout: idleTimeout, from: localAddress, options: options, on: loop)
        return try await connection.closing(after: body)
    }
}

extension TCPHandle {
    /// Sets the options as connections of this layer have them: they send at once unless told otherwise.
    func setAsyncOptions(_ options: TCPOptions) throws(UVError) {
        var options = options
        options.noDelay = options.noDelay ?? true
        try setOptions(options)
    }
}
