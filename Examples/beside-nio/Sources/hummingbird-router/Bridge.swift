import AsyncUV
import AsyncUVHTTP
import Hummingbird
import Logging
import NIOCore

/// Lets a responder of Hummingbird's, such as a router, answer requests of our server.
///
/// Both have heads of HTTPTypes, so only bodies are converted.
struct Bridge<Responder: HTTPResponder>: Sendable
where Responder.Context: RequestContext, Responder.Context.Source == LoopRequestSource {
    private let responder: Responder
    private let logger: Logger

    init(_ responder: Responder, logger: Logger) {
        self.responder = responder
        self.logger = logger
    }

    func answer(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws {
        var logger = logger
        logger[metadataKey: "hb.request.id"] = .stringConvertible(RequestID())
        let context = Responder.Context(source: LoopRequestSource(client: request.remoteAddress, logger: logger))
        let body = RequestBody(asyncSequence: request.body.map { ByteBuffer(bytes: $0) })
        let answer = try await responder.respond(to: Request(head: request.head, body: body), context: context)
        // The length is in the fields if it is known.
        try await response.stream(answer.status, answer.headers) { writer in
            try await answer.body.write(BodyWriter(writer: writer))
        }
    }
}

/// Writes bodies of Hummingbird's answers through our server, no faster than the client takes them.
private struct BodyWriter: ResponseBodyWriter {
    let writer: HTTPBodyWriter

    func write(_ buffer: ByteBuffer) async throws { try await writer.write(Array(buffer.readableBytesView)) }

    consuming func finish(_ trailers: HTTPFields?) async throws {
        if let trailers { try await writer.finish(trailers: trailers) }
    }
}

/// What a context is made of. Hummingbird's own has a channel of NIO's, and there is none here.
struct LoopRequestSource: RequestContextSource {
    let client: AsyncUV.SocketAddress?
    let logger: Logger
}

/// The context of a request that our server has read.
struct LoopRequestContext: RequestContext {
    typealias Source = LoopRequestSource

    var coreContext: CoreRequestContextStorage
    let client: AsyncUV.SocketAddress?

    init(source: LoopRequestSource) {
        coreContext = CoreRequestContextStorage(source: source)
        client = source.client
    }
}
