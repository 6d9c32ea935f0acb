public import AsyncUV
import Testing
import UV

/// Runs a test's body on a loop of the calling thread; fails on handles that are still open when it has ended.
@discardableResult
public func onLoop<Value: Sendable>(_ body: @escaping @Sendable (EventLoop) async throws -> Value) throws -> Value {
    try EventLoop.run { loop in
        let value = try await loop.spawn { try await body(loop) }.value
        // What was dropped on other threads is closed when they have let go.
        var left = try await openHandles(of: loop)
        for _ in 0..<1_000 {
            if left.isEmpty { break }
            try await loop.sleep(for: .milliseconds(1))
            left = try await openHandles(of: loop)
        }
        if !left.isEmpty { Issue.record("left open: \(left)") }
        return value
    }
}

/// The handles on a loop that nobody has closed.
public func openHandles(of loop: EventLoop) async throws -> [String] {
    try await loop.withLoop { $0.handles.filter { !$0.isClosing && $0.label != "lingering" }.map(\.description) }
}

/// Both sides of a TCP connection, on a loop.
public func connectedPair(on loop: EventLoop = .current ?? .shared) async throws -> (TCPConnection, TCPConnection) {
    let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
    let near = try await TCPConnection.connect(to: listener.localAddress, on: loop)
    let far = try #require(try await listener.accept())
    await listener.close()
    return (near, far)
}
