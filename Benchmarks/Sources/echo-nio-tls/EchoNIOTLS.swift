import ArgumentParser
import NIOCore
import NIOPosix
import NIOSSL
import ServerSupport

/// echo-nio-handler under TLS by NIOSSL, whose library is BoringSSL.
@main struct EchoNIOTLS: ParsableCommand {
    @OptionGroup var options: ServerOptions
    @Option(help: "The file of the certificate.") var certificate: String
    @Option(help: "The file of its key.") var key: String

    func run() throws {
        exitOnSignals()
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        let context = try NIOSSLContext(configuration: configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(ServerOptions.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
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
