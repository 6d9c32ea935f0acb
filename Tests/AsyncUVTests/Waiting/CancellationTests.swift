import AsyncUV
import Foundation
import TestSupport
import Testing
import UV

/// What streams, listeners and clocks can be waited for, to be cancelled.
struct StreamOperation: Sendable, CustomTestStringConvertible {
    /// What the operations work with: nothing of it ever comes to an end by itself.
    struct Scene: Sendable {
        let loop: EventLoop
        let near: TCPConnection
        let listener: TCPListener
        /// Where a connect is never answered.
        let nobody: SocketAddress
    }

    let testDescription: String
    let body: @Sendable (Scene) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (Scene) async throws -> Void) {
        testDescription = name
        self.body = body
    }

    private static let large = [UInt8](repeating: 7, count: 16 << 20)

    static let all: [StreamOperation] = [
        .init("connect to an address") { _ = try await TCPConnection.connect(to: $0.nobody, on: $0.loop) },
        .init("connect to a name") {
            _ = try await TCPConnection.connect(host: "localhost", port: $0.nobody.port, on: $0.loop)
        },
        .init("connect with a timeout") {
            _ = try await TCPConnection.connect(
                host: $0.nobody.host, port: $0.nobody.port, timeout: .seconds(1_000), on: $0.loop)
        },
        .init("accept") { _ = try await $0.listener.accept() },
        .init("connections") { for try await _ in $0.listener.connections {} },
        .init("serve") { try await $0.listener.serve { _ in } },
        .init("read") { _ = try await $0.near.read() },
        .init("read with a timeout") { _ = try await $0.near.read(timeout: .seconds(1_000)) },
        .init("read until draining") { _ = try await $0.near.read(untilDraining: true) },
        .init("read with an idle timeout") {
            try await $0.near.setIdleTimeout(.seconds(1_000))
            _ = try await $0.near.read()
        },
        .init("readLine with a timeout") { _ = try await $0.near.readLine(timeout: .seconds(1_000)) },
        .init("accept with a timeout") { _ = try await $0.listener.accept(timeout: .seconds(1_000)) },
        .init("write with a timeout") { try await $0.near.write(large, timeout: .seconds(1_000)) },
        .init("write with an idle timeout") {
            try await $0.near.setIdleTimeout(.seconds(1_000))
            try await $0.near.write(large)
        },
        .init("read exactly") { _ = try await $0.near.read(exactly: 10) },
        .init("readLine") { _ = try await $0.near.readLine() },
        .init("readLineBytes") { _ = try await $0.near.readLineBytes() },
        .init("readToEnd") { _ = try await $0.near.readToEnd() },
        .init("read into") {
            var buffer: [UInt8] = []
            _ = try await $0.near.read(into: &buffer)
        },
        .init("withBytes") { try await $0.near.withBytes { _ in (used: 0, value: ()) } },
        .init("chunks") { for try await _ in $0.near {} },
        .init("lines") { for try await _ in $0.near.lines() {} },
        .init("copy") { try await $0.near.copy(to: $0.near) },
        .init("write") { try await $0.near.write(large) },
        .init("write several") { try await $0.near.write(contentsOf: [large, [1], large]) },
        .init("finishWriting") {
            try? await withTimeout(.milliseconds(1), on: $0.loop) { [near = $0.near] in try await near.write(large) }
            try await $0.near.finishWriting()
        },
        .init("sleep") { try await $0.loop.sleep(for: .seconds(1_000)) },
        .init("ticks") { for try await _ in $0.loop.ticks(every: .seconds(1_000)) {} },
        .init("withTimeout") { scene in
            try await withTimeout(.seconds(1_000), on: scene.loop) { try await scene.loop.sleep(for: .seconds(2_000)) }
        },
        .init("signals") { for try await _ in try await Signals.watch(.user2, on: $0.loop) {} },
    ]
}

/// Where the task is that waits.
enum Caller: CaseIterable {
    case onTheLoop, elsewhere

    func spawn(
        on loop: EventLoop, _ body: @escaping @Sendable () async throws -> Void
    ) -> Task<Void, any Error> {
        switch self {
        case .onTheLoop: loop.spawn { try await body() }
        case .elsewhere: Task.detached { try await body() }
        }
    }
}

@Suite("C1: cancelled at each await", .inTurn) struct CancellationTests {
    /// Fails on handles that are still there when the body has ended, but for what the scene itself holds.
    private static func withScene(
        _ body: @escaping @Sendable (StreamOperation.Scene) async throws -> Void
    ) async throws {
        try await onLoopBesideFullBacklog { loop, nobody in
            let (near, far) = try await connectedPair()
            let listener = try await TCPListener.onLoopback()
            let before = try await openHandles(of: loop).count
            try await body(.init(loop: loop, near: near, listener: listener, nobody: nobody))
            for _ in 0..<1_000 {
                if try await openHandles(of: loop).count <= before { break }
                try await loop.sleep(for: .milliseconds(1))
            }
            #expect(try await openHandles(of: loop).count == before)
            await near.close()
            await far.close()
            await listener.close()
        }
    }

    @Test("While it waits it ends at once", arguments: StreamOperation.all, Caller.allCases)
    func waiting(_ operation: StreamOperation, _ caller: Caller) async throws {
        try await Self.withScene { scene in
            let task = caller.spawn(on: scene.loop) { try await operation.body(scene) }
            // A look-up, a few hops, a full socket.
            try await scene.loop.waitUntilIdle()
            task.cancel()
            #expect(await failure(of: task) is CancellationError)
        }
    }

    @Test("In a task that is cancelled already nothing starts", arguments: StreamOperation.all, Caller.allCases)
    func before(_ operation: StreamOperation, _ caller: Caller) async throws {
        try await Self.withScene { scene in
            let task = caller.spawn(on: scene.loop) {
                while !Task.isCancelled { await Task.yield() }
                try await operation.body(scene)
            }
            task.cancel()
            #expect(await failure(of: task) is CancellationError)
            let queued = try await scene.near.withHandle { $0.writeQueueSize }
            #expect(queued == 0)
        }
    }

    @Test("In a task that is cancelled already nothing listens; closing works", arguments: Caller.allCases)
    func bindAndClose(_ caller: Caller) async throws {
        try await Self.withScene { scene in
            let (near, far) = try await connectedPair()
            let task = caller.spawn(on: scene.loop) {
                while !Task.isCancelled { await Task.yield() }
                await near.close()
                await far.closeWithReset()
                _ = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: scene.loop)
            }
            task.cancel()
            #expect(await failure(of: task) is CancellationError)
        }
    }

    #if compiler(>=6.4) && os(Linux)
    @Test("Inside a shield a cancelled task reads, writes and sleeps as any other")
    func shielded() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let task = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                return try await withTaskCancellationShield {
                    try await near.write([1])
                    try await loop.sleep(for: .milliseconds(1))
                    return try await near.read()
                }
            }
            task.cancel()
            #expect(try await far.read() == [1])
            try await far.write([2])
            #expect(try await task.value == [2])
            await near.close()
            await far.close()
        }
    }
    #endif
}
