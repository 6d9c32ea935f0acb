import ArgumentParser
import NIOCore
import NIOPosix
import ServerSupport

/// SwiftNIO with `NIOAsyncChannel`, as its documentation shows it: one loop thread, tasks on the global executor.
@main struct EchoNIOAsync: AsyncParsableCommand {
    @OptionGroup var options: ServerOptions

    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    func run() async throws {
        exitOnSignals()
        let listener = try await bind()
        options.announce(port: listener.channel.localAddress?.port ?? 0)
        try await withThrowingDiscardingTaskGroup { group in
            try await listener.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask { await echo(connection) }
                }
            }
        }
    }

    private func bind() async throws -> NIOAsyncChannel<Connection, Never> {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
            .serverChannelOption(.backlog, value: Int32(ServerOptions.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator())
            .bind(host: options.host, port: Int(options.port)) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
    }
}

/// An error ends this connection only: the peer went away.
private func echo(_ connection: EchoNIOAsync.Connection) async {
    try? await connection.executeThenClose { inbound, outbound in
        for try await bytes in inbound {
            try await outbound.write(bytes)
        }
    }
}
