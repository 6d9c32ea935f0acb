import AsyncUV
import AsyncUVHTTP
import TestSupport
import UV

/// Runs a server of ours for a body, on one loop with it.
func withSite(
    _ server: HTTPServer = HTTPServer(), _ handler: @escaping HTTPServer.Handler,
    _ body: @escaping @Sendable (EventLoop, _ url: String) async throws -> Void
) throws {
    try withoutDescriptorLeak {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let serving = loop.spawn { try await server.serve(listener, onError: { _, _ in }, handler) }
            let result: Result<Void, any Error>
            do { result = .success(try await body(loop, "http://\(listener.localAddress)")) } catch {
                result = .failure(error)
            }
            await listener.close()
            serving.cancel()
            _ = await serving.result
            try result.get()
        }
    }
}

/// Runs a server that does with each connection what a test says, byte for byte, for a body.
///
/// - Parameter script: Gets the connection and its number.
func withPeer(
    _ script: @escaping @Sendable (TCPConnection, Int) async throws -> Void,
    _ body: @escaping @Sendable (EventLoop, _ url: String) async throws -> Void
) throws {
    try withoutDescriptorLeak {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let count = Shared(0)
            let serving = loop.spawn {
                try await listener.serve(onError: { _, _ in }) { connection in
                    let number = count.change { count in
                        count += 1
                        return count
                    }
                    try await script(connection, number)
                }
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(loop, "http://\(listener.localAddress)")) } catch {
                result = .failure(error)
            }
            await listener.close()
            serving.cancel()
            _ = await serving.result
            try result.get()
        }
    }
}

extension TCPConnection {
    /// The lines of a head; `nil` when the client has gone.
    func readHead() async throws -> [String]? {
        var lines: [String] = []
        while let line = try await readLine(limit: 65_536) {
            if line.isEmpty { return lines }
            lines.append(line)
        }
        return nil
    }
}

/// Runs a program that serves for a body, and ends it.
func withProgram(
    _ program: String, _ arguments: [String], on loop: EventLoop, _ body: (ChildProcess) async throws -> Void
) async throws {
    let child = try await ChildProcess.spawn(program, arguments, output: .pipe, on: loop)
    let result: Result<Void, any Error>
    do { result = .success(try await body(child)) } catch { result = .failure(error) }
    _ = await child.terminate()
    await child.output?.close()
    try result.get()
}
