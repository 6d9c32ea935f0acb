import AsyncUV
import SystemPackage
import TestSupport
import Testing

/// Ends of a `TCPConnection`: close, drop, reset.
@Suite(.ownThread) struct CloseTests {
    @Test func closeTwiceAndUseAfterwards() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            #expect(try await near.remoteAddress == far.localAddress)
            #expect(try await near.localAddress == far.remoteAddress)
            try await near.unread([1])
            await near.close()
            await near.close()
            await near.closeWithReset()
            #expect(try await far.read() == nil)
            for operation: @Sendable () async throws -> Void in [
                { _ = try await near.read() }, { try await near.write([1]) }, { try await near.write([]) },
                { try await near.write(contentsOf: [[1]]) }, { try await near.finishWriting() },
                { try await near.setNoDelay(enabled: true) }, { _ = try await near.localAddress },
                { _ = try await near.readUntil(1) },
            ] {
                #expect(code(of: await failure(of: Task { try await operation() })) == .badFileDescriptor)
            }
        }
    }

    @Test("C1: close in a cancelled task closes")
    func closeInACancelledTask() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let closing = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                await near.close()
            }
            closing.cancel()
            #expect(try await far.read() == nil)
            try await closing.value
        }
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let closing = Task.detached {
                while !Task.isCancelled { await Task.yield() }
                await near.close()
            }
            closing.cancel()
            #expect(try await far.read() == nil)
            await closing.value
        }
    }

    @Test("Pending reads and writes end with .canceled")
    func closeWhileOperationsWait() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let reading = loop.spawn { try await near.read() }
            let exactly = try await near.fill(loop)
            let finishing = loop.spawn { try await near.finishWriting() }
            try await loop.waitUntilIdle()
            await near.close()
            #expect(code(of: await failure(of: reading)) == .canceled)
            #expect(code(of: await failure(of: exactly)) == .canceled)
            #expect(code(of: await failure(of: finishing)) == .canceled)
            await far.close()
        }
    }

    @Test("Dropping the last reference closes: the peer sees the end")
    func drop() throws {
        try onLoop { _ in
            func dropped() async throws -> TCPConnection { try await connectedPair().0 }
            let far = try await dropped()
            #expect(try await far.read() == nil)
        }
    }

    @Test func dropOnAnotherThread() throws {
        try onLoop { _ in
            let pair = Shared(try await connectedPair() as (TCPConnection, TCPConnection)?)
            let far = try #require(pair.value?.1)
            await Task.detached { pair.value = nil }.value
            #expect(try await far.read() == nil)
        }
    }

    @Test func dropMidRead() throws {
        try onLoop { loop in
            let pair = Shared(try await connectedPair() as (TCPConnection, TCPConnection)?)
            let far = try #require(pair.value?.1)
            let reading = loop.spawn { [weak near = pair.value?.0] in try await near?.read() ?? nil }
            try await loop.waitUntilIdle()
            pair.value = nil
            // The read keeps the connection; its end is the end of the last reference.
            reading.cancel()
            #expect(await failure(of: reading) is CancellationError)
            #expect(try await far.read() == nil)
        }
    }

    @Test("Connections dropped by their tasks in the middle of everything leave no descriptor")
    func dropMany() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let address = listener.localAddress
            let serving = loop.spawn {
                while let connection = try await listener.accept() {
                    _ = loop.spawn {
                        try await connection.write([1]); _ = try await connection.read()
                    }
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let connection = try await TCPConnection.connect(to: address)
                        if number % 3 == 0 { return }
                        _ = try await connection.read()
                        if number % 3 == 1 { await connection.closeWithReset() }
                    }
                }
                try await group.waitForAll()
            }
            await listener.close()
            try await serving.value
        }
    }

    @Test func resetReachesThePeer() throws {
        try onLoop { _ in
            let (near, peer) = try await plainPeerPair()
            await near.closeWithReset()
            await near.closeWithReset()
            await near.close()
            await #expect(throws: Errno.connectionReset) { try await onThread { _ = try peer.readToEnd() } }
            try peer.close()
        }
    }

    @Test("close from elsewhere, and from eight tasks at once")
    func closeFromElsewhere() async throws {
        try await withOwnLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { await near.close() } }
            }
            #expect(try await far.read() == nil)
        }
    }

    @Test func options() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await near.setNoDelay(enabled: true)
            try await near.setNoDelay(enabled: false)
            try await near.setKeepAlive(TCPKeepAlive(idle: .seconds(7), interval: .seconds(3), count: 2))
            try await near.setKeepAlive(nil)
            for bad in [
                TCPKeepAlive(idle: .zero), TCPKeepAlive(idle: .seconds(100_000)), TCPKeepAlive(interval: .seconds(-1)),
                TCPKeepAlive(count: 0), TCPKeepAlive(count: 128),
            ] {
                await expectError(.invalidArgument) { try await near.setKeepAlive(bad) }
            }
            try await near.setSendBufferSize(65_536)
            try await near.setReceiveBufferSize(32_768)
            #expect([65_536, 131_072].contains(try await near.sendBufferSize))
            #expect([32_768, 65_536].contains(try await near.receiveBufferSize))
            await expectError(.invalidArgument) { try await near.setSendBufferSize(0) }
            #expect(try await near.label == nil)
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            #expect(try await listener.label == nil)
            try await listener.setLabel("door")
            #expect(try await listener.label == "door")
            await listener.close()
            try await near.setLabel("near")
            #expect(try await near.label == "near")
            let descriptor = try await near.withHandle { try $0.fileDescriptor.rawValue }
            #expect(descriptor > 2)
            await far.close()
        }
    }
}
