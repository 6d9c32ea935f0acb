public import AsyncUV

/// How an ``HTTPClient`` gets its streams.
public struct HTTPTransport: Sendable {
    /// Connects to a host.
    public var connect: @Sendable (_ host: String, _ port: UInt16, _ loop: EventLoop) async throws -> any ByteStream

    /// Secures a stream that is connected, for a server of this name: a TLS handshake. `nil`: URLs with `https` are refused.
    ///
    /// It gets streams of ``connect``, and of a proxy that leads through to the server.
    public var secure: (@Sendable (_ stream: any ByteStream, _ host: String) async throws -> any ByteStream)?

    /// Makes a transport of the two functions.
    ///
    /// - Parameter connect: TCP, unless told otherwise.
    /// - Parameter secure: See ``secure``.
    public init(
        connect:
            @escaping @Sendable (_ host: String, _ port: UInt16, _ loop: EventLoop) async throws -> any ByteStream = {
                try await TCPConnection.connect(host: $0, port: $1, on: $2)
            },
        secure: (@Sendable (_ stream: any ByteStream, _ host: String) async throws -> any ByteStream)? = nil
    ) {
        self.connect = connect
        self.secure = secure
    }
}

/// A server that passes requests on: whole ones with `http`, and by `CONNECT` what is secured.
public struct HTTPProxy: Hashable, Sendable {
    /// The proxy's name or address.
    public var host: String
    /// The proxy's port.
    public var port: UInt16
    /// The value of the field `Proxy-Authorization`.
    public var authorization: String?
    /// Hosts that are asked directly: names, and with a dot before them all names that end so.
    public var exceptions: Set<String>

    /// A proxy. Without `authorization` it gets no `Proxy-Authorization`.
    public init(host: String, port: UInt16, authorization: String? = nil, exceptions: Set<String> = []) {
        self.host = host
        self.port = port
        self.authorization = authorization
        self.exceptions = exceptions
    }

    func isUsed(for host: String) -> Bool {
        !exceptions.contains { $0 == host || $0.hasPrefix(".") && (host.hasSuffix($0) || host == $0.dropFirst()) }
    }
}
