import AsyncUV
import TestSupport
import Testing
import UV

/// Expects an error with these words: description and advice.
func expect(_ error: (any Error)?, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(error.map { String(reflecting: $0) } == text, sourceLocation: sourceLocation)
}

func says(_ text: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) throws {
    expect(caught(body), text, sourceLocation: sourceLocation)
}

func says(
    _ text: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws {
    expect(await caught(body), text, sourceLocation: sourceLocation)
}

/// What a body throws.
func caught(_ body: () throws -> Void) -> (any Error)? {
    do { try body() } catch { return error }
    return nil
}

func caught(_ body: () async throws -> Void) async -> (any Error)? {
    do { try await body() } catch { return error }
    return nil
}

/// Runs a body on a loop of the calling thread.
@discardableResult
func onLoop<Value: Sendable>(_ body: @escaping @Sendable (EventLoop) async throws -> Value) throws -> Value {
    try EventLoop.run { loop in try await body(loop) }
}

/// Both sides of a TCP connection, on a loop.
func connectedPair(on loop: EventLoop = .current ?? .shared) async throws -> (TCPConnection, TCPConnection) {
    let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
    let near = try await TCPConnection.connect(to: listener.localAddress, on: loop)
    let far = try #require(try await listener.accept())
    await listener.close()
    return (near, far)
}
