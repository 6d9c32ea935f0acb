import ArgumentParser
import AsyncUV
import AsyncUVHTTP2
import AsyncUVTLS
import ExampleSupport
import Foundation

@main struct FileServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file-server",
        abstract: "Serves the files of a directory over HTTP.",
        discussion: """
            GET and HEAD, ranges, conditional requests; index.html or a list for a directory. Nothing outside of the \
            directory is served, whatever becomes a symbolic link meanwhile, and no name that begins with a dot. \
            Symbolic links are followed if they are relative and stay inside.

            The first line of output says where it listens. Ctrl-C or SIGTERM ends it: answers that are on their way are \
            still sent, for a second at most, and the last line says what was served.

            With a certificate and a key it speaks HTTPS, HTTP/2 too.

            Try it: file-server --root . --port 8000, then http://127.0.0.1:8000 in a browser.
            """)

    @Option(help: "The directory.")
    var root: String

    @Option(help: "The port; 0 takes a free one.")
    var port: UInt16 = 0

    @Option(help: "The numeric address to listen on, IPv4 or IPv6.")
    var host = "127.0.0.1"

    @Option(
        help: "Close connections on which nothing happens for so long. (default: 10s)",
        transform: duration(from:))
    var idleTimeout: Duration = .seconds(10)

    @Option(
        help: "Close connections whose request is not complete after so long. (default: 15s)",
        transform: duration(from:))
    var requestTimeout: Duration = .seconds(15)

    @Option(
        help: """
            How many connections there can be. When they are all taken, a new one takes the place of the one that has \
            waited longest for a request. (default: 4096, fewer if the process may not open enough files)
            """)
    var maxConnections: Int?

    @Option(help: "Serve HTTPS with this certificate, and those between it and its authority (PEM).")
    var certificate: String?

    @Option(help: "The certificate's private key (PEM).")
    var key: String?

    func validate() throws {
        guard (certificate == nil) == (key == nil) else {
            throw ValidationError("HTTPS needs both --certificate and --key.")
        }
        guard idleTimeout > .zero, requestTimeout > .zero else {
            throw ValidationError("The timeouts must be longer than 0.")
        }
        guard maxConnections ?? 1 > 0 else { throw ValidationError("There must be room for a connection.") }
    }

    func run() throws {
        Diagnostics.setHandler(Diagnostics.standardError)
        let address = try SocketAddress(host: host, port: port)
        let limits = ServerLimits(
            idle: idleTimeout, request: requestTimeout, connections: maxConnections ?? Self.affordableConnections)
        let tally = try EventLoop.run { [root, certificate, key] loop in
            let server = try await Server(site: Site(root: FilePath(validating: root)), limits: limits)
            try await server.run(at: address, tls: try await Self.context(certificate, key), on: loop)
            return server.tally
        }
        printLine("served \(tally)")
    }

    private static func context(_ certificate: String?, _ key: String?) async throws -> TLSContext? {
        guard let certificate, let key else { return nil }
        return try .server(
            identity: TLSIdentity(
                certificateChainPEM: await FileSystem.readFile(FilePath(validating: certificate)),
                privateKeyPEM: await FileSystem.readFile(FilePath(validating: key))),
            applicationProtocols: HTTP2Server.applicationProtocols + ["http/1.0"])
    }

    /// A connection needs three descriptors while a file is sent: its own, a copy of it, and the file's.
    private static var affordableConnections: Int {
        min(4_096, max(1, (sysconf(Int32(_SC_OPEN_MAX)) - 64) / 3))
    }
}
