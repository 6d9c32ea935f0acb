@_exported public import AsyncTestSupport
import AsyncUV
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing
import UV

/// Gives a loop with a thread of its own to a body that runs elsewhere, and shuts it down.
@discardableResult
func withOwnLoop<Value>(_ body: (EventLoop) async throws -> Value) async throws -> Value {
    let loop = try EventLoop()
    do {
        let value = try await body(loop)
        await loop.shutdown()
        return value
    } catch {
        await loop.shutdown()
        throw error
    }
}

/// A connection on the loop whose peer is a plain blocking socket.
func plainPeerPair(on loop: EventLoop = .current ?? .shared) async throws -> (TCPConnection, FileDescriptor) {
    let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
    let peer = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
    let connection = try #require(try await listener.accept())
    await listener.close()
    return (connection, peer)
}

extension TCPListener {
    static func onLoopback(on loop: EventLoop = .current ?? .shared) async throws -> TCPListener {
        try await bind(host: "127.0.0.1", port: 0, on: loop)
    }
}

extension TCPConnection {
    static func connect(to listener: TCPListener) async throws -> TCPConnection {
        try await connect(to: listener.localAddress)
    }

    /// Writes more than the system takes; the task waits.
    func fill(_ loop: EventLoop) async throws -> Task<Void, any Error> {
        let task = loop.spawn { try await self.write([UInt8](repeating: 7, count: 16 << 20)) }
        try await loop.waitUntilIdle()
        return task
    }
}

/// A door that tasks wait at until somebody opens it.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func wait() async {
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    }
}

/// What a task failed with.
func failure<Value: Sendable>(of task: Task<Value, any Error>) async -> (any Error)? {
    if case .failure(let error) = await task.result { error } else { nil }
}

/// The code of a libuv error.
func code(of error: (any Error)?) -> UVError.Code? { (error as? UVError)?.code }
