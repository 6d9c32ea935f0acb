import ArgumentParser
import NIOCore
import NIOHTTP1
import NIOPosix
import ServerSupport

/// The same on SwiftNIO's HTTP/1 codec with a channel handler, the fastest way that it has, on one thread. It sends no date.
@main struct HTTPHelloNIO: ParsableCommand {
    @OptionGroup var options: ServerOptions

    func run() throws {
        exitOnSignals()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(ServerOptions.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(HelloHandler())
                }
            }
            .bind(host: options.host, port: Int(options.port))
            .wait()
        options.announce(port: listener.localAddress?.port ?? 0)
        try listener.closeFuture.wait()
    }
}

private final class HelloHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let body = ByteBuffer(string: "Hello, world!")

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        let head = HTTPResponseHead(
            version: .http1_1, status: .ok, headers: ["Content-Type": "text/plain", "Content-Length": "13"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
