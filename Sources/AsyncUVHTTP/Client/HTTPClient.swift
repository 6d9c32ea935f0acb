public import AsyncUV
public import HTTPTypes
internal import UV

/// Sends requests of HTTP/1.1.
///
/// ```swift
/// let client = HTTPClient()
/// let response = try await client.get("http://example.org/")
/// print(response.status, try await response.text())
/// ```
///
/// Connections are kept for the next request of the same server. A request whose connection turns out to have been ended meanwhile is
/// sent again if nothing of an answer has come and it may be: GET, HEAD, PUT, DELETE, OPTIONS and TRACE with a body that can be sent twice.
/// Redirects are followed; `Authorization` and `Cookie` do not go to another server with them. There is no jar for cookies, no cache, and nothing
/// is decompressed. The environment's proxies are not looked at.
///
/// A client belongs to a loop, and can be used from everywhere. Dropping it closes the connections that nobody uses.
///
/// Errors are ``HTTPClientError``, and ``UVError`` as the streams have them. Cancellation: the connection is closed.
public final class HTTPClient: Sendable {
    /// How a client connects, how long it waits, and what it keeps.
    public struct Configuration: Sendable {
        /// For look-up, connect, the way through a proxy, and securing, together.
        public var connectTimeout: Duration = .seconds(10)
        /// How long after the request the head of the answer may take.
        public var responseTimeout: Duration = .seconds(60)
        /// How long nothing may come of an answer's body, or leave of a request's.
        public var bodyTimeout: Duration = .seconds(60)
        /// How many redirects are followed; with 0 the answer that leads elsewhere is returned.
        public var redirects = 10
        /// How many connections one server gets at most, 1 at least; further requests wait. An answer has its connection until its body was
        /// read, or it is dropped.
        public var connectionsPerServer = 8
        /// How long a request waits for one of them.
        public var waitTimeout: Duration = .seconds(60)
        /// How many connections wait for further requests, of all servers together; 0 for none.
        public var idleConnections = 100
        /// How long a connection waits for a further request. Shorter than what servers do, so that they do not end it first.
        public var idleTime: Duration = .seconds(30)
        /// How large heads may be. Bodies have limits of their own: ``HTTPClientResponse/bytes(limit:)``.
        public var limits = HTTPLimits()
        /// The proxy that requests go through; `nil` for none. The environment is not looked at.
        public var proxy: HTTPProxy?
        /// The field `User-Agent` of requests that have none; `nil` for none.
        public var userAgent: String? = "swift-uv"

        /// The values that each property names; heads may have 65,536 bytes.
        public init() { limits.head = 65_536 }
    }

    /// The loop that its connections live on.
    public let loop: EventLoop
    /// What it was made with.
    public let configuration: Configuration
    private let transport: HTTPTransport
    private let pool: ClientPool

    /// Makes a client whose connections live on a loop. It connects when it is asked for something.
    ///
    /// - Parameter transport: TCP, without `https`, unless told otherwise.
    public init(
        _ configuration: Configuration = Configuration(), transport: HTTPTransport = HTTPTransport(),
        on loop: EventLoop = .current ?? .shared
    ) {
        self.loop = loop
        self.configuration = configuration
        self.transport = transport
        pool = ClientPool(configuration, on: loop)
    }

    /// How many connections wait for further requests.
    public var idleConnectionCount: Int { pool.idleCount }

    /// Closes the connections that wait. What is under way goes on; further requests throw ``HTTPClientError`` with `.closed`.
    public func close() async { await pool.close() }

    // MARK: Requests

    /// Asks for what is at a URL. Otherwise as ``send(_:to:fields:body:)``.
    public func get(_ url: String, fields: HTTPFields = [:]) async throws -> HTTPClientResponse {
        try await send(.get, to: Self.url(url), fields: fields)
    }

    /// Sends a body to a URL. Otherwise as ``send(_:to:fields:body:)``.
    public func post(
        _ url: String, fields: HTTPFields = [:], body: HTTPClientBody
    ) async throws -> HTTPClientResponse {
        try await send(.post, to: Self.url(url), fields: fields, body: body)
    }

    /// Sends a request that has its scheme, authority and path. Otherwise as ``send(_:to:fields:body:)``.
    public func send(_ request: HTTPRequest, body: HTTPClientBody = .none) async throws -> HTTPClientResponse {
        let text = "\(request.scheme ?? "http")://\(request.authority ?? "")\(request.path ?? "/")"
        return try await send(request.method, to: Self.url(text), fields: request.headerFields, body: body)
    }

    /// Sends a request, and waits for the head of the answer, whatever its status.
    ///
    /// `Content-Length`, `Transfer-Encoding` and, unless it is given, `Host` come by themselves. With `Expect: 100-continue` the body waits for the
    /// server's word, one second at most.
    ///
    /// - Parameter method: Any but CONNECT.
    /// - Throws: ``HTTPClientError``, and what connecting, securing and the stream throw.
    ///
    /// Cancellation: the connection is closed; whether the server has carried out the request is not known.
    public func send(
        _ method: HTTPRequest.Method, to url: HTTPURL, fields: HTTPFields = [:], body: HTTPClientBody = .none
    ) async throws -> HTTPClientResponse {
        if method == .connect { throw HTTPClientError(.badRequest, url.description, "CONNECT is for proxies") }
        var request = ClientRequest(method: method, url: url, fields: fields, body: body)
        var count = 0
        while true {
            let (response, exchange) = try await exchange(request)
            if response.head.status == .switchingProtocols {
                await exchange.close()
                throw HTTPClientError(.badResponse, request.url.description, "the server switches to another protocol")
            }
            guard configuration.redirects > 0, let next = try request.redirected(by: response.head) else {
                return Self.response(response, exchange)
            }
            count += 1
            if count > configuration.redirects {
                throw HTTPClientError(
                    .tooManyRedirects, url.description,
                    "more than \(configuration.redirects) redirects, the last to \(next.url)")
            }
            try await exchange.drop()
            request = next
        }
    }

    private static func response(_ response: ParsedResponse, _ exchange: ClientExchange) -> HTTPClientResponse {
        let length: Int? =
            switch response.body {
            case .none: 0
            case .length(let count): count
            case .chunked, .toEnd: nil
            }
        return HTTPClientResponse(
            head: response.head, url: exchange.url,
            body: HTTPBody(source: exchange, number: 0, length: length, limit: .max), exchange: exchange)
    }

    static func url(_ text: String) throws(HTTPClientError) -> HTTPURL {
        if let url = HTTPURL(text) { return url }
        throw HTTPClientError(.badURL, HTTPURL.withoutCredentials(text), "no URL of http or https")
    }

    // MARK: One exchange

    private func exchange(_ request: ClientRequest) async throws -> (ParsedResponse, ClientExchange) {
        let key = key(for: request.url)
        let seat = try await pool.enter(key, for: request.url)
        while true {
            let waiting = await pool.take(key)
            let connection: ClientConnection
            if let waiting { connection = waiting } else { connection = try await connect(request.url, key) }
            let exchange = ClientExchange(connection, seat, pool, configuration, request.url)
            do { return (try await exchange.begin(request), exchange) } catch {
                await exchange.close()
                // Ended by the server while nobody used it: the next one, or at last a new one.
                guard waiting != nil, request.isRepeatable, !exchange.hasBytes, error.isOfEnd else { throw error }
            }
        }
    }

    private func key(for url: HTTPURL) -> ClientConnection.Key {
        if let proxy = configuration.proxy, !url.isSecure, proxy.isUsed(for: url.host) {
            return ClientConnection.Key(isSecure: false, host: proxy.host, port: proxy.port, isForProxy: true)
        }
        return ClientConnection.Key(isSecure: url.isSecure, host: url.host, port: url.port, isForProxy: false)
    }

    /// - Parameter key: Decides whether a proxy gets whole requests.
    private func connect(_ url: HTTPURL, _ key: ClientConnection.Key) async throws -> ClientConnection {
        if url.isSecure, transport.secure == nil {
            throw HTTPClientError(.noSecurity, url.description, "the client has no transport that secures")
        }
        do {
            return try await withTimeout(configuration.connectTimeout, on: loop) {
                ClientConnection(try await stream(to: url, key), key)
            }
        } catch let error as UVError where error.code == .timedOut {
            throw HTTPClientError(
                .connectTimeout, url.description, "no connection within \(configuration.connectTimeout): \(error)")
        }
    }

    private func stream(to url: HTTPURL, _ key: ClientConnection.Key) async throws -> any ByteStream {
        var stream: any ByteStream
        if key.isForProxy {
            return try await transport.connect(key.host, key.port, loop)
        } else if let proxy = configuration.proxy, proxy.isUsed(for: url.host) {
            stream = try await transport.connect(proxy.host, proxy.port, loop)
            try await lead(stream, to: url, proxy)
        } else {
            stream = try await transport.connect(url.host, url.port, loop)
        }
        if url.isSecure, let secure = transport.secure { stream = try await secure(stream, url.host) }
        return stream
    }

    /// Lets a proxy lead a stream through to a server.
    private func lead(_ stream: any ByteStream, to url: HTTPURL, _ proxy: HTTPProxy) async throws {
        var head = "CONNECT \(url.hostAndPort) HTTP/1.1\r\nHost: \(url.hostAndPort)\r\n"
        if let agent = configuration.userAgent { head += "User-Agent: \(agent.asFieldValue)\r\n" }
        if let authorization = proxy.authorization {
            head += "Proxy-Authorization: \(authorization.asFieldValue)\r\n"
        }
        try await stream.write(head + "\r\n")
        var parser = ResponseParser(limits: configuration.limits)
        while true {
            do {
                if let answer = try parser.next(for: .connect) {
                    let code = answer.head.status.code
                    if code < 200 { continue }
                    guard code < 300 else {
                        throw HTTPClientError(.proxy, url.description, "the proxy answered \(answer.head.status)")
                    }
                    let rest = parser.input.takePiece(upTo: .max)
                    if !rest.isEmpty { try await stream.unread(rest) }
                    return
                }
            } catch let refusal as HTTPRefusal {
                throw HTTPClientError(.proxy, url.description, "the proxy's answer is no HTTP: \(refusal.reason)")
            }
            guard let bytes = try await stream.read() else {
                throw HTTPClientError(.proxy, url.description, "the proxy ended the connection without an answer")
            }
            parser.input.append(bytes)
        }
    }

    // MARK: Another protocol

    /// Asks a server to go on in another protocol, on a connection of its own. A proxy leads it through.
    ///
    /// - Returns: The stream, after status 101.
    /// - Throws: ``HTTPClientError`` with `.badResponse` for another status. Otherwise as ``send(_:to:fields:body:)``.
    public func upgrade(
        to url: HTTPURL, fields: HTTPFields
    ) async throws -> (head: HTTPResponse, stream: any ByteStream) {
        let (response, exchange) = try await beginUpgrade(to: url, fields)
        guard response.head.status == .switchingProtocols else {
            await exchange.close()
            throw HTTPClientError(.badResponse, url.description, "the server answered \(response.head.status)")
        }
        return (response.head, try await exchange.takeStream())
    }

    private func beginUpgrade(to url: HTTPURL, _ fields: HTTPFields) async throws -> (ParsedResponse, ClientExchange) {
        let key = ClientConnection.Key(isSecure: url.isSecure, host: url.host, port: url.port, isForProxy: false)
        let connection = try await connect(url, key)
        let exchange = ClientExchange(connection, nil, pool, configuration, url)
        let request = ClientRequest(method: .get, url: url, fields: fields, body: .none)
        do { return (try await exchange.begin(request), exchange) } catch {
            await exchange.close()
            throw error
        }
    }
}

extension Error {
    /// Whether it tells that the other side has ended the connection.
    fileprivate var isOfEnd: Bool {
        if let error = self as? HTTPClientError { return error.kind == .truncated }
        return !(self is CancellationError)
    }
}
