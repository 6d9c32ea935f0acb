import ArgumentParser
import AsyncUV
import AsyncUVTLS
import NIOCore
import NIOPosix
import NIOSSL
import UV

/// AsyncUVTLS on the system's OpenSSL and NIOSSL on its own BoringSSL in one process: each echoes 1 MiB to the other, with TLS 1.2 and 1.3.
@main struct TLSBesideNIOSSL: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "tls-beside-niossl")

    @Option(help: "The folder with authority.pem, server.pem and server.key.pem.")
    var certificates = "Tests/AsyncUVTLSTests/Certificates"

    func run() throws {
        let certificates = certificates
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        try AsyncUV.EventLoop.run { loop in
            let both = try await Both(certificates, group)
            try await withTimeout(.seconds(120), on: loop) {
                for version in Version.allCases {
                    try await both.clientOfOurs(version)
                    try await both.serverOfOurs(version, on: loop)
                }
            }
        }
        print("both echo to each other")
    }
}

private enum Version: CaseIterable {
    case v1_2, v1_3

    var ours: AsyncUVTLS.TLSVersion { self == .v1_2 ? .v1_2 : .v1_3 }
    var theirs: NIOSSL.TLSVersion { self == .v1_2 ? .tlsv12 : .tlsv13 }
}

private struct WrongEcho: Error {}

private struct Both {
    private let group: MultiThreadedEventLoopGroup
    private let authority, certificate, key: String
    private let authorityPEM, certificatePEM, keyPEM: [UInt8]
    private let message = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    init(_ folder: String, _ group: MultiThreadedEventLoopGroup) async throws {
        self.group = group
        (authority, certificate, key) = ("\(folder)/authority.pem", "\(folder)/server.pem", "\(folder)/server.key.pem")
        authorityPEM = try await FileSystem.readFile(FilePath(authority))
        certificatePEM = try await FileSystem.readFile(FilePath(certificate))
        keyPEM = try await FileSystem.readFile(FilePath(key))
    }

    /// Our client, and a server of NIO's.
    func clientOfOurs(_ version: Version) async throws {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        configuration.maximumTLSVersion = version.theirs
        let context = try NIOSSLContext(configuration: configuration)
        let listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let trust = try TLSContext.client(trust: .pem(String(decoding: authorityPEM, as: UTF8.self)))
        let connection = try await TLSConnection.connect(
            host: "127.0.0.1", port: UInt16(listener.localAddress?.port ?? 0), context: trust, serverName: "localhost")
        let message = message
        async let written: Void = connection.write(message)
        if try await connection.read(exactly: message.count) != message || connection.version != version.ours {
            throw WrongEcho()
        }
        try await written
        print("our client, NIOSSL's server: \(connection.version), \(connection.cipherSuite)")
        await connection.close()
        try await listener.close().get()
    }

    /// A client of NIO's, and our server.
    func serverOfOurs(_ version: Version, on loop: AsyncUV.EventLoop) async throws {
        let context = try TLSContext.server(
            identity: TLSIdentity(certificateChainPEM: certificatePEM, privateKeyPEM: keyPEM),
            versions: .v1_2...version.ours)
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
        let serving = loop.spawn {
            try await listener.serve(tls: context) { connection in
                for try await chunk in connection { try await connection.write(chunk) }
            }
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(authority)
        let trust = try NIOSSLContext(configuration: configuration)
        let promise = group.next().makePromise(of: [UInt8].self)
        let count = message.count
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: trust, serverHostname: "localhost"))
                    try channel.pipeline.syncOperations.addHandler(Collector(count, promise))
                }
            }
            .connect(host: "127.0.0.1", port: Int(listener.localAddress.port)).get()
        try await channel.writeAndFlush(ByteBuffer(bytes: message)).get()
        if try await promise.futureResult.get() != message { throw WrongEcho() }
        let agreed = try await channel.nioSSL_tlsVersion().get()
        if agreed != version.theirs { throw WrongEcho() }
        print("NIOSSL's client, our server: \(version.ours)")
        try await channel.close().get()
        await listener.close()
        try await serving.value
    }
}

/// Keeps what comes until that is enough.
private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let count: Int
    private let promise: EventLoopPromise<[UInt8]>
    private var bytes: [UInt8] = []

    init(_ count: Int, _ promise: EventLoopPromise<[UInt8]>) {
        self.count = count
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes += Array(unwrapInboundIn(data).readableBytesView)
        if bytes.count >= count { promise.succeed(bytes) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }

    // A second result of a promise is ignored.
    func channelInactive(context: ChannelHandlerContext) { promise.fail(ChannelError.eof) }
}
