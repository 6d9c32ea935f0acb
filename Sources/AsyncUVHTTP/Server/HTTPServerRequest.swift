public import AsyncUV
public import HTTPTypes

/// A request that a handler answers. It is valid while the handler runs.
public struct HTTPServerRequest: Sendable {
    /// Method, path and fields. The path is as the client has encoded it; the host is `authority`.
    public let head: HTTPRequest
    /// What the client sends with it, up to the server's limit. A client that waits for `100 Continue` gets it at the first read.
    ///
    /// What the handler leaves is read and dropped, up to 256 KiB; of more, the connection ends after the answer.
    /// With HTTP/2 the client is told at once to send no more.
    public let body: HTTPBody
    let exchange: AnyExchange

    init(_ head: HTTPRequest, _ body: HTTPBody, _ connection: ServerConnection) {
        self.init(head, body, .http1(connection))
    }

    init(_ head: HTTPRequest, _ body: HTTPBody, _ exchange: AnyExchange) {
        self.head = head
        self.body = body
        self.exchange = exchange
    }

    /// The fields behind the body, when that has been read to its end.
    public var trailers: HTTPFields {
        switch exchange {
        // Only bodies in chunks have them.
        case .http1(let connection): body.length == nil ? connection.trailers(of: body.number) : [:]
        case .other(let other): other.exchange.trailers
        }
    }

    /// The stream that it came on: for what one can ask it, not for reading and writing.
    public var stream: any ByteStream {
        switch exchange {
        case .http1(let connection): connection.stream
        case .other(let other): other.exchange.stream
        }
    }

    /// The client's address, of a TCP connection and what is over one, such as TLS.
    public var remoteAddress: SocketAddress? {
        switch exchange {
        case .http1(let connection): connection.peerAddress
        case .other(let other): other.exchange.peerAddress
        }
    }
}
