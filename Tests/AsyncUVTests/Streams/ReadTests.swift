import AsyncUV
import TestSupport
import Testing

/// Reading from a `TCPConnection`.
@Suite(.ownThread) struct ReadTests {
    @Test func whatIsThereUpToALimit() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await far.write([1, 2, 3, 4, 5])
            #expect(try await near.read(upTo: 2) == [1, 2])
            #expect(try await near.read(upTo: 2) == [3, 4])
            #expect(try await near.read() == [5])
            await far.close()
            #expect(try await near.read() == nil)
            #expect(try await near.read() == nil, "the end stays the end")
        }
    }

    @Test("B2: limits and counts out of range are typed errors, also with bytes given back")
    func limitsOutOfRange() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            for round in 0..<2 {
                for limit in [0, -1, Int.min] {
                    await expectError(.invalidArgument, "round \(round)") {
                        try await near.read(upTo: limit)
                    }
                }
                await expectError(.invalidArgument) { try await near.read(exactly: -1) }
                #expect(try await near.read(exactly: 0) == [])
                if round == 0 { try await near.unread([9]) }
            }
            try await far.write([1])
            #expect(try await near.read(upTo: .max) == [9])
            #expect(try await near.read(upTo: .max) == [1])
        }
    }

    @Test("B2: more than there will ever be allocates nothing up front")
    func readExactlyMax() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await far.write([1, 2, 3])
            await far.close()
            let error = await #expect(throws: UVError.self) { try await near.read(exactly: .max) }
            #expect(error?.code == .endOfFile)
            #expect("\(try #require(error))".contains("after 3"))
            #expect(try await near.read() == [1, 2, 3], "what came can be read")
            #expect(try await near.read() == nil)
        }
    }

    @Test func exactly() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let reading = loop.spawn { (try await near.read(exactly: 10), try await near.read(exactly: 3)) }
            for byte in 0..<13 {
                try await far.write([UInt8(byte)])
                try await loop.waitUntilIdle()
            }
            let (ten, three) = try await reading.value
            #expect(ten == Array(0..<10) && three == [10, 11, 12])
        }
    }

    @Test("C1: a cancelled read(exactly:) has read nothing")
    func cancelledReadExactly() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let reading = loop.spawn { try await near.read(exactly: 5) }
            try await far.write([1, 2])
            try await loop.waitUntilIdle()
            reading.cancel()
            #expect(await failure(of: reading) is CancellationError)
            try await far.write([3, 4, 5])
            #expect(try await near.read(exactly: 5) == [1, 2, 3, 4, 5])
        }
    }

    @Test func unread() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await far.write([5])
            try await near.unread([3, 4])
            try await near.unread([1, 2])
            try await near.unread([])
            #expect(try await near.read(exactly: 5) == [1, 2, 3, 4, 5])
        }
    }

    @Test("Everything to the end; what is more than the limit, or was read before a cancellation, can be read")
    func readToEnd() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await far.write([1, 2, 3, 4])
            await expectError(.messageTooLong) { try await near.readToEnd(limit: 3) }
            let reading = loop.spawn { try await near.readToEnd() }
            try await loop.waitUntilIdle()
            reading.cancel()
            #expect(await failure(of: reading) is CancellationError)
            try await far.finishWriting()
            #expect(try await near.readToEnd(limit: 4) == [1, 2, 3, 4])
            #expect(try await near.readToEnd() == [])
        }
    }

    @Test func readUntil() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await far.write(Array("one,two,,four".utf8))
            await far.close()
            var pieces: [String] = []
            while let piece = try await near.readUntil(UInt8(ascii: ",")) {
                pieces.append(String(decoding: piece, as: UTF8.self))
            }
            #expect(pieces == ["one,", "two,", ",", "four"])
        }
    }

    @Test("The limit of readUntil leaves out the delimiter; what was too long can still be read")
    func limitOfReadUntil() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await far.write(Array("1234;12345;rest".utf8))
            await far.close()
            let end = UInt8(ascii: ";")
            #expect(try await near.readUntil(end, limit: 4) == Array("1234;".utf8))
            for _ in 0..<2 {
                await expectError(.messageTooLong) { try await near.readUntil(end, limit: 4) }
            }
            #expect(try await near.readUntil(end, limit: 5) == Array("12345;".utf8))
            for limit in [0, -1] {
                await #expect(throws: UVError.self) { try await near.readUntil(end, limit: limit) }
            }
            #expect(try await near.readUntil(end) == Array("rest".utf8))
            #expect(try await near.readUntil(end) == nil)
        }
    }

    @Test func twoReaders() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let first = loop.spawn { try await near.read() }
            try await loop.waitUntilIdle()
            await expectError(.alreadyInProcess) { try await near.read() }
            await expectError(.alreadyInProcess) { try await near.read(exactly: 3) }
            try await far.write([1])
            #expect(try await first.value == [1], "the first is not disturbed")
            try await far.write([2])
            #expect(try await near.read() == [2])
        }
    }

    @Test func asASequence() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let writing = loop.spawn {
                try await far.write(bytes)
                try await far.finishWriting()
            }
            var all: [UInt8] = []
            for try await chunk in near {
                #expect((1...65_536).contains(chunk.count))
                all += chunk
            }
            #expect(all == bytes)
            try await writing.value
        }
    }

    @Test("A read that is cancelled again and again loses no byte")
    func cancelledReadsLoseNothing() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let bytes = (0..<2_000).map { UInt8(truncatingIfNeeded: $0) }
            let writing = loop.spawn {
                for byte in bytes {
                    try await far.write([byte])
                    await Task.yield()
                }
                try await far.finishWriting()
            }
            var all: [UInt8] = []
            var cancelled = 0
            reading: while true {
                let read = loop.spawn { try await near.read(upTo: 3) }
                await Task.yield()
                if all.count % 2 == 0 { read.cancel() }
                do {
                    guard let chunk = try await read.value else { break reading }
                    all += chunk
                } catch is CancellationError {
                    cancelled += 1
                    if cancelled % 3 == 0, let chunk = try await near.read(upTo: 1) { all += chunk }
                }
            }
            #expect(all == bytes)
            try await writing.value
        }
    }

    @Test("N1: a reset ends the reader with a typed error, once; then it is the end")
    func reset() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let reading = loop.spawn { try await near.read() }
            try await loop.waitUntilIdle()
            await far.closeWithReset()
            #expect(code(of: await failure(of: reading)) == .connectionReset)
            #expect(try await near.read() == nil)
        }
    }

    @Test("Nothing beyond one chunk is read that nobody asked for")
    func readsOnDemandOnly() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let writing = loop.spawn { try await far.write([UInt8](repeating: 1, count: 64 << 20)) }
            _ = try await near.read(upTo: 1)
            try await loop.waitUntilIdle()
            // What is not in the system's buffers waits on the other side.
            #expect(try await far.withHandle { $0.writeQueueSize } > 32 << 20)
            writing.cancel()
            #expect(await failure(of: writing) is CancellationError)
            await far.closeWithReset()
        }
    }
}
