import AsyncUV
import Foundation
import TestSupport
import Testing

private let threadsGone = Shared(0)

/// K1: loops that end with everything pending.
@Suite(.inTurn) struct ShutdownTests {
    @Test func twice() async throws {
        let loop = try EventLoop()
        await loop.shutdown()
        await loop.shutdown()
        async let first: Void = loop.shutdown()
        async let second: Void = loop.shutdown()
        _ = await (first, second)
    }

    @Test func manyAtOnce() async throws {
        let loop = try EventLoop()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { await loop.shutdown() } }
        }
        #expect(code(of: await failure(of: Task { try await loop.withLoop { _ in } })) == .canceled)
    }

    @Test("Calls that come while the loop is about to end stop nothing half-way")
    func manyLoopsManyTimes() async throws {
        for _ in 0..<200 {
            let loop = try EventLoop()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { @concurrent in await loop.shutdown() } }
            }
        }
    }

    @Test("The loop's thread is gone when shutdown returns, with all that it keeps for itself")
    func threadIsGone() async throws {
        var key = pthread_key_t()
        let made = unsafe pthread_key_create(&key) { _ in threadsGone.change { $0 += 1 } }
        try #require(made == 0)
        defer { pthread_key_delete(key) }
        for number in 1...200 {
            let loop = try EventLoop()
            try await loop.withLoop { [key] _ in
                _ = unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1))
            }
            await loop.shutdown()
            #expect(threadsGone.value == number)
        }
    }

    @Test func fromItsOwnTask() async throws {
        let loop = try EventLoop()
        let task = loop.spawn {
            #expect(loop.isCurrent)
            await loop.shutdown()
            #expect(!loop.isCurrent)
            return 3
        }
        #expect(try await task.value == 3)
    }

    @Test func ofALoopInRunFromItsBody() async throws {
        let value = try await onThread {
            try EventLoop.run { loop in
                await loop.shutdown()
                #expect(!loop.isCurrent)
                return 4
            }
        }
        #expect(value == 4)
    }

    @Test func inACancelledTask() async throws {
        let loop = try EventLoop()
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            await loop.shutdown()
        }
        task.cancel()
        await task.value
        await expectError(.canceled) { try await loop.withLoop { _ in } }
    }

    @Test("K1: sleep, read, write, accept, connect, signal wait, finishWriting end with .canceled")
    func everythingPending() async throws {
        let loop = try EventLoop()
        let full = try await FullBacklog()
        let tasks = try await loop.spawn {
            let (near, far) = try await connectedPair()
            let (writer, silent) = try await connectedPair()
            let (finisher, deaf) = try await connectedPair()
            let listener = try await TCPListener.onLoopback()
            let signals = try await Signals.watch(.urgent)
            let filling = try await finisher.fill(loop)
            let address = full.address
            var tasks: [(String, Task<Void, any Error>)] = [
                ("sleep", loop.spawn { try await loop.sleep(for: .seconds(1_000)) }),
                ("read", loop.spawn { _ = try await near.read() }),
                ("accept", loop.spawn { _ = try await listener.accept() }),
                ("serve", loop.spawn { try await listener.serve { _ in } }),
                ("connect", loop.spawn { _ = try await TCPConnection.connect(to: address) }),
                ("signal", loop.spawn { _ = try await signals.next() }),
                ("tick", loop.spawn { for try await _ in loop.ticks(every: .seconds(1_000)) {} }),
                ("finishWriting", loop.spawn { try await finisher.finishWriting() }),
                ("filling", filling),
                ("write", try await writer.fill(loop)),
            ]
            for index in 0..<100 {
                let (one, other) = try await connectedPair()
                tasks.append(
                    (
                        "read \(index)",
                        loop.spawn {
                            _ = try await one.read()
                            await other.close()
                        }
                    ))
            }
            try await loop.waitUntilIdle()
            return Shared((tasks, [far, silent, deaf]))
        }.value
        await loop.shutdown()
        for (name, task) in tasks.value.0 {
            #expect(code(of: await failure(of: task)) == .canceled, "\(name)")
        }
        for connection in tasks.value.1 { await connection.close() }
        full.close()
    }

    @Test("K1: the same from tasks that run elsewhere")
    func everythingPendingFromElsewhere() async throws {
        let loop = try EventLoop()
        let (near, far) = try await connectedPair(on: loop)
        let listener = try await TCPListener.onLoopback(on: loop)
        let started = Shared(0)
        let tasks: [(String, Task<Void, any Error>)] = [
            (
                "sleep",
                Task {
                    started.change { $0 += 1 }; try await loop.sleep(for: .seconds(1_000))
                }
            ),
            (
                "read",
                Task {
                    started.change { $0 += 1 }; _ = try await near.read()
                }
            ),
            (
                "accept",
                Task {
                    started.change { $0 += 1 }; _ = try await listener.accept()
                }
            ),
            (
                "write",
                Task {
                    started.change { $0 += 1 }; try await near.write([UInt8](repeating: 1, count: 64 << 20))
                }
            ),
        ]
        while started.value < tasks.count { await Task.yield() }
        await loop.shutdown()
        for (name, task) in tasks {
            let found = code(of: await failure(of: task))
            #expect(found == .canceled || found == .badFileDescriptor, "\(name): \(String(describing: found))")
        }
        await far.close()
    }

    @Test func operationsAfterShutdownThrow() async throws {
        let loop = try EventLoop()
        let (near, far) = try await connectedPair(on: loop)
        let listener = try await TCPListener.onLoopback(on: loop)
        let address = listener.localAddress
        await loop.shutdown()
        let operations: [(String, @Sendable () async throws -> Void)] = [
            ("read", { _ = try await near.read() }),
            ("exactly", { _ = try await near.read(exactly: 1) }),
            ("write", { try await near.write([1]) }),
            ("write many", { try await near.write(contentsOf: [[1], [2]]) }),
            ("finishWriting", { try await far.finishWriting() }),
            ("unread", { try await near.unread([1]) }),
            ("setNoDelay", { try await near.setNoDelay(enabled: true) }),
            ("accept", { _ = try await listener.accept() }),
            ("serve", { try await listener.serve { _ in } }),
            ("sleep", { try await loop.sleep(for: .seconds(1)) }),
            ("bind", { _ = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop) }),
            ("connect", { _ = try await TCPConnection.connect(to: address, on: loop) }),
            ("resolve", { _ = try await Resolver.addresses(of: "localhost", port: 1, on: loop) }),
            ("signals", { _ = try await Signals.watch(.urgent, on: loop) }),
            ("counters", { _ = try await loop.counters }),
        ]
        for (name, operation) in operations {
            #expect(code(of: await failure(of: Task { try await operation() })) == .canceled, "\(name)")
            #expect(
                code(of: await failure(of: loop.spawn { try await operation() })) == .canceled, "\(name) in a late task"
            )
        }
        await near.close()
        await far.closeWithReset()
        await listener.close()
    }

    @Test("K1: connections dropped on other threads while the loop ends")
    func dropsDuringShutdown() async throws {
        for _ in 0..<30 {
            let loop = try EventLoop()
            let connections = Shared<[TCPConnection]>([])
            for _ in 0..<4 {
                let (near, far) = try await connectedPair(on: loop)
                connections.change { $0 += [near, far] }
            }
            async let ending: Void = loop.shutdown()
            for _ in 0..<8 {
                connections.change { _ = $0.popLast() }
                await Task.yield()
            }
            await ending
        }
    }

    @Test func tasksThatYieldForEverDoNotHinderTheEnd() async throws {
        let loop = try EventLoop()
        let task = loop.spawn { while !Task.isCancelled { await Task.yield() } }
        try await loop.withLoop { _ in }
        await loop.shutdown()
        task.cancel()
        try await task.value
    }
}
