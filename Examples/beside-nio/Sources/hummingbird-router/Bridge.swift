import AsyncUV
import AsyncUVHTTP
import Hummingbird
import Logging
import NIOCore

/// Lets a responder of Hummingbird's, such as a router, answer requests of our server.
///
/// Both have heads of HTTPTypes, so only bodies are converted.
struct Bridge: Sendable {
    let responder: any HTTPResponder<LoopRequestContext>
    let logger: Logger

    func answer(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws {
        var logger = logger
        logger[metadataKey: "hb.request.id"] = .stringConvertible(RequestID())
        let context = LoopRequestContext(source: .init(client: request.remoteAddress, logger: logger))
        // Routes say themselves how much they collect.
        let body = RequestBody(asyncSequence: request.body.limited(to: .max).map { ByteBuffer(bytes: $0) })
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

/// The context of a request that our server has read.
struct LoopRequestContext: RequestContext {
    /// What it is made of. That of Hummingbird's own contexts has a channel of NIO's, and there is none here.
    struct Source: RequestContextSource {
        let client: AsyncUV.SocketAddress?
        let logger: Logger
    }

    var coreContext: CoreRequestContextStorage
    let client: AsyncUV.SocketAddress?

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        client = source.client
    }
}
