import AsyncUV
import TestSupport
import Testing
import UVTesting

/// A stream in memory does what a real one does: both are asked the same.
@Suite struct StreamContractTests {
    enum Kind: CaseIterable {
        case memory
        case memoryInParts
        case system
    }

    /// Runs a body with both sides of a connection.
    private func with(
        _ kind: Kind, _ body: @escaping @Sendable (any ByteStream, any ByteStream, TestLoop) async throws -> Void
    ) throws {
        try TestLoop.run(seed: kind == .memoryInParts ? 1 : nil) { test in
            if kind == .system {
                let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
                let near = try await TCPConnection.connect(to: listener.localAddress)
                let far = try #require(try await listener.accept())
                try await body(near, far, test)
                for connection in [near, far] { await connection.close() }
                await listener.close()
            } else {
                let conditions =
                    kind == .memory ? LinkConditions() : LinkConditions(latency: .milliseconds(3), hasShortWrites: true)
                let (near, far) = TestNetwork(test, conditions: conditions).pair()
                try await body(near, far, test)
            }
        }
    }

    @Test(arguments: Kind.allCases) func bytesComeInOrderUpToTheEnd(_ kind: Kind) throws {
        try with(kind) { near, far, _ in
            try await near.write("one ")
            try await near.write([])
            try await near.write(contentsOf: [Array("two ".utf8), [], Array("three".utf8)])
            try await near.finishWriting()
            #expect(try await far.read(exactly: 4) == Array("one ".utf8))
            try await far.unread(Array("zero ".utf8))
            #expect(try await far.readToEnd() == Array("zero two three".utf8))
            #expect(try await far.read() == nil)
            #expect(try await far.read() == nil)
        }
    }

    @Test(arguments: Kind.allCases) func ourSideIsFinishedOnce(_ kind: Kind) throws {
        try with(kind) { near, far, _ in
            try await near.finishWriting()
            await expectError(.socketShutdown) { try await near.write("more") }
            await expectError(.socketNotConnected) { try await near.finishWriting() }
            // The other way is open.
            try await far.write("answer")
            #expect(try await near.read(exactly: 6) == Array("answer".utf8))
        }
    }

    @Test(arguments: Kind.allCases) func oneReaderAtATime(_ kind: Kind) throws {
        try with(kind) { near, far, test in
            let reader = test.loop.spawn { try await near.read() }
            try await test.waitUntilIdle()
            await expectError(.alreadyInProcess) { _ = try await near.read() }
            await expectError(.invalidArgument) { _ = try await far.read(upTo: 0) }
            try await far.write([7])
            #expect(try await reader.value == [7])
        }
    }

    @Test(arguments: Kind.allCases) func aCloseEndsWhatIsPending(_ kind: Kind) throws {
        try with(kind) { near, _, test in
            let reader = test.loop.spawn { try await near.read() }
            try await test.waitUntilIdle()
            await near.close()
            await expectError(.canceled) { _ = try await reader.value }
            await expectError(.badFileDescriptor) { _ = try await near.read() }
            await expectError(.badFileDescriptor) { try await near.write([1]) }
            await expectError(.badFileDescriptor) { try await near.finishWriting() }
            await near.close()
        }
    }

    @Test(arguments: Kind.allCases) func aCancelledReadLosesNothing(_ kind: Kind) throws {
        try with(kind) { near, far, test in
            let reader = test.loop.spawn { try await near.read() }
            try await test.waitUntilIdle()
            reader.cancel()
            await #expect(throws: CancellationError.self) { _ = try await reader.value }
            try await far.write([1, 2, 3])
            #expect(try await near.read(exactly: 3) == [1, 2, 3])
        }
    }

    @Test(arguments: Kind.allCases) func aCancelledWriteThatHasBegunLeavesAsAWhole(_ kind: Kind) throws {
        try with(kind) { near, far, test in
            // More than the system's buffers take.
            let bytes = Array(repeating: UInt8(5), count: kind == .system ? 12 << 20 : 1 << 20)
            let first = test.loop.spawn { try await near.write(bytes) }
            try await test.waitUntilIdle()
            let second = test.loop.spawn { try await near.write([1, 2, 3]) }
            try await test.waitUntilIdle()
            second.cancel()
            await #expect(throws: CancellationError.self) { try await second.value }
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            let finish = test.loop.spawn { try await near.finishWriting() }
            let received = try await far.readToEnd()
            let isSame = received == bytes
            #expect(isSame)
            try await finish.value
        }
    }

    @Test func theEndOfTheLoopEndsWhatWaits() async throws {
        let reader = try await TestLoop.run { test in
            let (near, far) = TestNetwork(test).pair()
            let reader = test.loop.spawn {
                defer { withExtendedLifetime(far) {} }
                return try await near.read()
            }
            try await test.waitUntilIdle()
            return reader
        }
        await expectError(.canceled) { _ = try await reader.value }
    }
}
