import AsyncUV
import TestSupport
import Testing
import UV

/// Reads into the caller's array.
@Suite(.ownThread) struct ReadIntoTests {
    @Test("All bytes come, in order, whatever the limit", arguments: Caller.allCases)
    func all(_ caller: Caller) async throws {
        try await withOwnLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let reading = caller.spawn(on: loop) {
                var received: [UInt8] = [7]
                var limit = 1
                while try await near.read(into: &received, upTo: limit) > 0 { limit = limit * 3 % 70_001 + 1 }
                #expect(received == [7] + bytes)
            }
            try await far.write(bytes)
            try await far.finishWriting()
            try await reading.value
            await near.close()
            await far.close()
        }
    }

    @Test("An array with room is filled where it is")
    func noAllocation() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let reading = loop.spawn {
                var buffer: [UInt8] = []
                buffer.reserveCapacity(65_536)
                func place() -> UInt { unsafe buffer.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } }
                let start = place()
                var count = 0
                while true {
                    buffer.removeAll(keepingCapacity: true)
                    let more = try await near.read(into: &buffer)
                    #expect(place() == start)
                    if more == 0 { return count }
                    count += more
                }
            }
            for _ in 0..<100 {
                try await far.write([UInt8](repeating: 1, count: 1_000))
                try await loop.waitUntilIdle()
            }
            try await far.finishWriting()
            #expect(try await reading.value == 100_000)
        }
    }

    @Test("C1: cancelled, closed or at its end, the array is as it was, and other reads see nothing of it")
    func ends() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let seen = Shared<[UInt8]>([])
            let waiting = loop.spawn {
                var buffer: [UInt8] = [1, 2]
                defer { seen.value = buffer }
                return try await near.read(into: &buffer)
            }
            try await loop.waitUntilIdle()
            await expectError(.alreadyInProcess) { try await near.read() }
            await expectError(.alreadyInProcess) { try await near.readLine() }
            let second = loop.spawn { _ = try await near.withBytes { ($0.count, ()) } }
            let refused = try #require(await failure(of: second) as? UVError)
            #expect(refused.subject == "a connection with \(near.remoteAddress), which another task reads")
            var other: [UInt8] = [9]
            await expectError(.alreadyInProcess) { try await near.read(into: &other) }
            #expect(other == [9])
            waiting.cancel()
            #expect(await failure(of: waiting) is CancellationError)
            #expect(seen.value == [1, 2])
            try await far.write([3, 10, 4])
            #expect(try await near.readLine() == "\u{3}")
            #expect(try await near.read(into: &other) == 1 && other == [9, 4])
            try await far.finishWriting()
            #expect(try await near.read(into: &other) == 0 && other == [9, 4])
            await near.close()
            await expectError(.badFileDescriptor) { try await near.read(into: &other) }
            #expect(other == [9, 4])
        }
    }
}
