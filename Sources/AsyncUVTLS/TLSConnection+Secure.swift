public import AsyncUV
public import UV

/// Which side of a TLS connection we are. It need not be that of the connection below.
public enum TLSSide: Sendable {
    /// The side that says hello, and checks the other's certificate.
    case client
    /// The side with the certificate.
    case server
}

extension TLSConnection {
    /// Connects to a host, and makes sure that it is the one.
    ///
    /// - Parameter family: Tries only the host's addresses of this family; `nil` tries all.
    /// - Parameter context: ``TLSContext/client(trust:identity:applicationProtocols:versions:)``.
    /// - Parameter serverName: Whom the certificate must be for, and who is asked for (SNI); the host if it is `nil`.
    /// - Parameter timeout: For look-up, connect and handshake together; `nil` for ever.
    /// - Parameter localAddress: The address of this side, port 0 for any; addresses of the other family are not tried.
    /// - Throws: ``TLSError`` when the handshake fails, and as
    ///   ``TCPConnection/connect(host:port:family:timeout:idleTimeout:from:options:on:)``.
    ///
    /// Cancellation: the connection is closed.
    public static func connect(
        host: String, port: UInt16, family: SocketAddress.Family? = nil, context: TLSContext, serverName: String? = nil,
        timeout: Duration? = nil, idleTimeout: Duration? = nil, from localAddress: SocketAddress? = nil,
        options: TCPOptions = TCPOptions(), on loop: EventLoop = .current ?? .shared
    ) async throws -> TLSConnection {
        let start = LoopClock.Instant.now
        let connection = try await TCPConnection.connect(
            host: host, port: port, family: family, timeout: timeout, idleTimeout: idleTimeout, from: localAddress,
            options: options, on: loop)
        let left = timeout.map { Swift.max($0 - (LoopClock.Instant.now - start), .zero) }
        return try await secure(
            connection, as: .client, context: context, serverName: serverName ?? host,
            sessionKey: "\(serverName ?? host) \(port)", timeout: left)
    }

    /// Connects to a host for a body, and closes the connection afterwards, whatever happens. Otherwise as
    /// ``connect(host:port:family:context:serverName:timeout:idleTimeout:from:options:on:)``.
    public static func withConnection<Value>(
        host: String, port: UInt16, family: SocketAddress.Family? = nil, context: TLSContext, serverName: String? = nil,
        timeout: Duration? = nil, idleTimeout: Duration? = nil, from localAddress: SocketAddress? = nil,
        options: TCPOptions = TCPOptions(), on loop: EventLoop = .current ?? .shared,
        _ body: nonisolated(nonsending) (TLSConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await connect(
            host: host, port: port, family: family, context: context, serverName: serverName, timeout: timeout,
            idleTimeout: idleTimeout, from: localAddress, options: options, on: loop)
        return try await connection.closing(after: body)
    }

    /// Goes on with a connection under TLS: after STARTTLS or CONNECT, over a local socket, in another TLS connection, in memory.
    ///
    /// The stream is the TLS connection's from then on, and is closed with it, also when this fails. Bytes that have come and were
    /// not taken, or were given back, are the first of the handshake: nobody can slip bytes in before it.
    ///
    /// - Parameter serverName: For a client: whom the certificate must be for. It may be `nil` with
    ///   ``TLSTrust/dangerouslyUnverified`` only.
    /// - Parameter timeout: For the handshake; `nil` for ever.
    /// - Throws: ``TLSError`` when the handshake fails, the context is not for this side, or the name has a NUL in it; ``UVError`` with `.timedOut`,
    ///   `.alreadyInProcess` while the stream is read, `.resourceBusy` while it is written to, and as ``ByteStream/read(upTo:)``.
    ///
    /// A client goes on with an earlier session of the same context over TCP with the same name and port, if the server lets it.
    ///
    /// Cancellation: the stream is closed.
    public static func secure(
        _ stream: some ByteStream, as side: TLSSide, context: TLSContext, serverName: String? = nil,
        timeout: Duration? = nil
    ) async throws -> TLSConnection {
        try await secure(
            stream, as: side, context: context, serverName: serverName,
            sessionKey: side == .client ? sessionKey(for: serverName, over: stream) : nil, timeout: timeout)
    }

    /// What sessions are kept by: a session was checked for that name. Of other streams nobody knows where they lead.
    private static func sessionKey(for serverName: String?, over stream: some ByteStream) -> String? {
        guard let serverName, let connection = stream as? TCPConnection else { return nil }
        return "\(serverName) \(connection.remoteAddress.port)"
    }

    private static func secure(
        _ stream: some ByteStream, as side: TLSSide, context: TLSContext, serverName: String?, sessionKey: String?,
        timeout: Duration?
    ) async throws -> TLSConnection {
        let near: LocalConnection
        let bridged: (StreamBridge, TLSSettings, String?)
        do {
            let settings = context.settings
            if settings.isServer != (side == .server) {
                throw TLSError.configuration(reason: "the context is not that of a \(side)")
            }
            if side == .client, serverName == nil, settings.verifies {
                throw TLSError.configuration(reason: "a client that checks certificates needs the server's name")
            }
            // C would see the name of another server: what is before it.
            if serverName?.utf8.contains(0) == true {
                throw TLSError.configuration(reason: "the server's name has a NUL in it")
            }
            let name = serverName.map(plainName)
            if let connection = stream as? any StreamConnection, try await !connection.stream.isFiltered {
                return try await secure(connection, settings, name, sessionKey, timeout)
            }
            let bridge = StreamBridge(over: stream)
            near = try await bridge.open()
            bridged = (bridge, settings, name)
        } catch {
            await stream.close()
            throw error
        }
        let (bridge, settings, name) = bridged
        do { return try await secure(near, by: bridge, settings, name, sessionKey, timeout) } catch {
            // An alert for the peer may be on its way.
            if error is TLSError { bridge.close() } else { await bridge.abort() }
            throw error
        }
    }

    static func secure(
        _ lower: any StreamConnection, by bridge: StreamBridge? = nil, _ settings: TLSSettings, _ serverName: String?,
        _ sessionKey: String?,
        _ timeout: Duration?
    ) async throws -> TLSConnection {
        let filter = try await lower.stream.install { peer in
            try TLSFilter(settings, serverName: serverName, sessionKey: sessionKey, peer: peer)
        }
        do { try await lower.stream.waitForFilter("handshake", timeout: timeout) } catch {
            await lower.close()
            throw error
        }
        guard let agreed = filter.agreed else { throw UVError(.canceled, in: "handshake") }
        return TLSConnection(over: lower, by: bridge, filter, agreed)
    }

    /// A name as certificates have it: without the dot of the root. An address without brackets and zone.
    private static func plainName(_ name: String) -> String {
        var name = name[...]
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        if let zone = name.firstIndex(of: "%"), name.contains(":") { name = name[..<zone] }
        if name.hasSuffix("."), name.count > 1 { name = name.dropLast() }
        return String(name)
    }
}
