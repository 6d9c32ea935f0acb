import AsyncUV
import AsyncUVHTTP
import Synchronization
import TestSupport
import Testing

/// A server on a port of its own, for one test.
struct Serving: Sendable {
    let server: HTTPServer
    let listener: TCPListener
    private let errors: Errors

    func connect() async throws -> TCPConnection { try await TCPConnection.connect(to: listener.localAddress) }

    /// What comes for some text, up to the end of the connection.
    func answers(_ text: String) async throws -> String {
        let client = try await connect()
        try await client.write(text)
        let bytes = try await client.readToEnd()
        await client.close()
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What handlers threw so far.
    var thrown: [String] { errors.texts.withLock { $0 } }

    fileprivate init(_ server: HTTPServer, _ listener: TCPListener, _ errors: Errors) {
        self.server = server
        self.listener = listener
        self.errors = errors
    }
}

private final class Errors: Sendable {
    let texts = Mutex<[String]>([])
}

/// Runs a server for a body, on one loop with it.
func withServer(
    _ server: HTTPServer = HTTPServer(), maxConnections: Int = .max, idleTimeout: Duration? = .seconds(60),
    _ handler: @escaping HTTPServer.Handler, _ body: @escaping @Sendable (Serving) async throws -> Void
) throws {
    try withoutDescriptorLeak {
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let errors = Errors()
            let serving = loop.spawn {
                try await server.serve(
                    listener, maxConnections: maxConnections, idleTimeout: idleTimeout,
                    onError: { error, _ in errors.texts.withLock { $0.append("\(error)") } }, handler)
            }
            try await body(Serving(server, listener, errors))
            await listener.close()
            serving.cancel()
            _ = await serving.result
        }
    }
}

/// An answer without its date.
func undated(_ text: String) -> String { text.replacing(/Date: [^\r]*\r\n/, with: "") }
