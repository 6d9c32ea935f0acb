import Readiness
import ServerModels

/// Runs a server on a thread of its own, `body` on another, and returns when both have ended.
///
/// - Returns: Whatever `body` returns. Throws the server's error before the body's.
@discardableResult
func withServer<Result: Sendable>(
    _ server: any Server, _ body: @escaping @Sendable (Endpoint, Stop) throws -> Result
) async throws -> Result {
    let listener = try Socket.listening(on: .anyLoopback)
    let endpoint = listener.localEndpoint!
    let stop = Stop()
    async let serving: Void = onThread {
        defer { try? listener.shutdown(.both) }  // whatever happened, no client waits for ever
        try server.run(on: listener, until: stop)
    }
    async let answer = onThread {
        defer { stop.request() }
        return try body(endpoint, stop)
    }
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await answer) } catch { result = .failure(error) }
    try await serving
    return try result.get()
}
