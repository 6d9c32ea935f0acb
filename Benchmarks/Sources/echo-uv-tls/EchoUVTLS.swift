import ArgumentParser
import AsyncUV
import AsyncUVTLS
import ServerSupport
import UV

/// echo-uv-async under TLS.
@main struct EchoUVTLS: ParsableCommand {
    @OptionGroup var options: ServerOptions
    @Option(help: "The file of the certificate.") var certificate: String
    @Option(help: "The file of its key.") var key: String

    func run() throws {
        let (options, certificate, key) = (options, certificate, key)
        try EventLoop.run { loop in
            let identity = try TLSIdentity(
                certificateChainPEM: await FileSystem.readFile(FilePath(certificate)),
                privateKeyPEM: await FileSystem.readFile(FilePath(key)))
            let context = try TLSContext.server(identity: identity)
            let listener = try await TCPListener.bind(
                host: options.host, port: options.port, backlog: ServerOptions.backlog)
            options.announce(port: Int(listener.localAddress.port))
            let serving = loop.spawn {
                try await listener.serve(tls: context) { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            try await loop.withLoop { loop in
                for signal: Signal in [.terminate, .interrupt] {
                    try SignalHandle(on: loop).start(signal) { _, _ in serving.cancel() }
                }
            }
            _ = await serving.result
        }
    }
}
