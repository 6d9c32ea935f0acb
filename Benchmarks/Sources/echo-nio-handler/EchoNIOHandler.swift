import ArgumentParser
import NIOCore
import NIOPosix
import ServerSupport

/// SwiftNIO with a channel handler, after NIO's own `NIOEchoServer`, on one thread.
@main struct EchoNIOHandler: ParsableCommand {
    @OptionGroup var options: ServerOptions

    func run() throws {
        exitOnSignals()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(ServerOptions.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator())
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // As in NIO's example, and as in the other servers here: a slow peer stops the reading.
                    try channel.pipeline.syncOperations.addHandler(BackPressureHandler())
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            }
            .bind(host: options.host, port: Int(options.port))
            .wait()
        options.announce(port: listener.localAddress?.port ?? 0)
        try listener.closeFuture.wait()
    }
}
