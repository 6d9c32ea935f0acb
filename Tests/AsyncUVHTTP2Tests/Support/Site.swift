@_exported public import AsyncTestSupport
import AsyncUV
import AsyncUVHTTP
import AsyncUVHTTP2
import TestSupport
import UV

/// A server on a port of its own, for one test.
struct Site: Sendable {
    let server: HTTP2Server
    let listener: TCPListener
    let loop: EventLoop
    let serving: Task<Void, any Error>
    /// What went to `onError`.
    let errors: Shared<[String]>

    func connect() async throws -> TCPConnection {
        try await TCPConnection.connect(to: listener.localAddress, on: loop)
    }

    /// What the server says to some bytes, up to the end of the connection.
    func answers(_ bytes: [UInt8]) async throws -> [UInt8] {
        let client = try await connect()
        try? await client.write(bytes)
        var all: [UInt8] = []
        // The server may reset what it does not want to read.
        while let more = try? await client.read() { all += more }
        await client.close()
        return all
    }
}

/// Runs a server for a body, on one loop with it.
func withSite(
    _ server: HTTP2Server = HTTP2Server(), idleTimeout: Duration? = .seconds(60),
    _ handler: @escaping HTTPServer.Handler, _ body: @escaping @Sendable (Site) async throws -> Void
) throws {
    try withoutDescriptorLeak {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let errors = Shared<[String]>([])
            let serving = loop.spawn {
                try await server.serve(
                    listener, idleTimeout: idleTimeout,
                    onError: { error, _ in errors.change { $0.append("\(error)") } },
                    handler)
            }
            let result: Result<Void, any Error>
            do {
                let site = Site(server: server, listener: listener, loop: loop, serving: serving, errors: errors)
                result = .success(try await body(site))
            } catch { result = .failure(error) }
            await listener.close()
            serving.cancel()
            _ = await serving.result
            try result.get()
        }
    }
}

/// Runs a client on a connection of its own.
func withClient(
    _ site: Site, window: Int = 65_535, _ body: (RawClient) async throws -> Void
) async throws {
    let connection = try await site.connect()
    let client = RawClient(connection, window: window)
    let result: Result<Void, any Error>
    do { result = .success(try await body(client)) } catch { result = .failure(error) }
    await connection.close()
    try result.get()
}
