import AsyncUV
import TestSupport
import Testing

/// `setIdleTimeout`: waits that end when no byte moves on the connection.
@Suite(.ownThread) struct IdleTimeoutTests {
    private static let short = Duration.milliseconds(20)
    private static let large = [UInt8](repeating: 7, count: 16 << 20)

    /// What the operation fails with, and that it does so no earlier than an idle timeout after what `since` says at the end.
    private static func expectTimeout<Value>(
        _ timeout: Duration = short, in operation: String = "read", since: () -> LoopClock.Instant,
        sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
    ) async {
        do {
            _ = try await body()
            Issue.record("it did not time out", sourceLocation: sourceLocation)
        } catch {
            #expect(code(of: error) == .timedOut, "\(error)", sourceLocation: sourceLocation)
            #expect((error as? UVError)?.operation == operation, sourceLocation: sourceLocation)
            #expect(LoopClock.Instant.now - since() >= timeout, "never early", sourceLocation: sourceLocation)
        }
    }

    @Test("A read that times out loses no byte, names operation and peer, and can be tried again")
    func read() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await near.setIdleTimeout(Self.short)
            for byte: UInt8 in 1...3 {
                let start = LoopClock.Instant.now
                await Self.expectTimeout(since: { start }) { try await near.read() }
                try await far.write([byte])
                #expect(try await near.read() == [byte])
            }
            do { _ = try await near.read() } catch {
                #expect("\(error)" == "timed out (ETIMEDOUT) in read from \(near.remoteAddress)")
            }
        }
    }

    @Test("Each way to read, on the loop, elsewhere and in the task of serve")
    func everyReader() throws {
        try onLoop { loop in
            let reads: [@Sendable (TCPConnection) async throws -> Void] = [
                { _ = try await $0.read() },
                { _ = try await $0.read(exactly: 3) },
                { _ = try await $0.readLine() },
                { _ = try await $0.readUntil(0) },
                { for try await _ in $0.lines() {} },
                { for try await _ in $0 {} },
                { try await $0.copy(to: $0) },
                { _ = try await $0.read(timeout: .seconds(1_000)) },
                { _ = try await $0.readLine(timeout: .seconds(1_000), untilDraining: true) },
            ]
            let listener = try await TCPListener.onLoopback()
            let errors = Shared<[UVError.Code?]>([])
            let number = Shared(0)
            let serving = loop.spawn {
                try await listener.serve(
                    idleTimeout: Self.short,
                    onError: { error, _ in
                        errors.change { $0.append(code(of: error)) }
                    }
                ) {
                    try await reads[
                        number.change {
                            $0 += 1; return $0
                        } - 1]($0)
                }
            }
            for (index, read) in reads.enumerated() {
                let (near, far) = try await connectedPair()
                try await near.setIdleTimeout(Self.short)
                for caller in Caller.allCases {
                    let task = caller.spawn(on: loop) { try await read(near) }
                    #expect(code(of: await failure(of: task)) == .timedOut, "\(index) \(caller)")
                }
                try await far.write([1])
                #expect(try await near.read() == [1])
                let client = try await TCPConnection.connect(to: listener)
                #expect(try await client.read() == nil, "the handler has ended")
            }
            await listener.close()
            try await serving.value
            #expect(errors.value == reads.map { _ in .timedOut })
        }
    }

    @Test("Bytes of an unfinished line are kept when the rest does not come")
    func partsOfALine() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await near.setIdleTimeout(Self.short)
            try await far.write("abc")
            await expectError(.timedOut) { try await near.readLine() }
            await expectError(.timedOut) { try await near.read(exactly: 4) }
            try await far.write("def\n")
            #expect(try await near.readLine() == "abcdef")
        }
    }

    @Test("A connection is idle when neither side sends: bytes that come, and bytes that another task writes, count")
    func bytesThatMove() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await near.setIdleTimeout(Self.short)
            for sender in [far, near] {
                let moves = Shared([LoopClock.Instant.now])
                let sending = loop.spawn {
                    var count = 0
                    for try await _ in loop.ticks(every: .milliseconds(3)) {
                        count += 1
                        if count == 15 { return }
                        moves.change { $0.append(.now) }
                        try await sender.write([1])
                    }
                }
                await expectError(.timedOut) { while true { _ = try await near.read() } }
                // On a busy machine it may be the time between two bytes.
                let times = moves.value + [.now]
                let longest = zip(times, times.dropFirst()).map { $1 - $0 }.max()
                #expect(try #require(longest) >= Self.short, "never early")
                try await sending.value
            }
            #expect(try await far.read(exactly: 14).count == 14)
        }
    }

    @Test("N4: a write that has begun times out at a peer that does not read, leaves as a whole, and so do later ones")
    func write() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await near.setIdleTimeout(Self.short)
            let start = LoopClock.Instant.now
            await Self.expectTimeout(in: "write", since: { start }) { try await near.write(Self.large) }
            await Self.expectTimeout(in: "write", since: { start }) { try await near.write([9]) }
            let ending = loop.spawn {
                try await near.write([8])
                try await near.finishWriting()
            }
            var count = 0
            var last: UInt8?
            while let bytes = try await far.read() { (count, last) = (count + bytes.count, bytes.last) }
            #expect(count == Self.large.count + 1 && last == 8, "nothing of the write that had not begun")
            try await ending.value
        }
    }

    @Test("N4: writes that cannot begin move no byte: they do not prolong the wait of the one that has begun")
    func writesThatCannotBegin() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await near.setIdleTimeout(Self.short)
            let pestering = loop.spawn {
                while !Task.isCancelled { try? await near.write([1], timeout: .milliseconds(2)) }
            }
            await expectError(.timedOut) { try await near.write(Self.large) }
            pestering.cancel()
            try await pestering.value
            await near.closeWithReset()
            await far.close()
        }
    }

    @Test("N4: the end of our side waits for a peer that does not read no longer than the idle timeout")
    func finishWriting() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let filling = try await near.fill(loop)
            try await near.setIdleTimeout(Self.short)
            let start = LoopClock.Instant.now
            await Self.expectTimeout(in: "finishWriting", since: { start }) { try await near.finishWriting() }
            #expect(try await far.readToEnd().count == 16 << 20, "our side is finished nevertheless")
            try await filling.value
        }
    }

    @Test("N4: a write goes on as long as the peer reads now and then")
    func slowReader() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let idle = Duration.milliseconds(500)
            try await near.setIdleTimeout(idle)
            let writing = loop.spawn { try await near.write(Self.large) }
            let start = LoopClock.Instant.now
            var reads = [start]
            var count = 0
            for try await _ in loop.ticks(every: .milliseconds(10)) {
                reads.append(.now)
                // At least a tenth of the bytes for each tenth of the time: the system's buffers never stand still for long.
                let due = Int((LoopClock.Instant.now - start) / idle * Double(Self.large.count) / 1.5)
                while count < min(due, Self.large.count), let bytes = try await far.read() { count += bytes.count }
                if count == Self.large.count { break }
            }
            do { try await writing.value } catch {
                #expect(code(of: error) == .timedOut)
                // On a busy machine it may be the time between two reads.
                let longest = zip(reads, reads.dropFirst()).map { $1 - $0 }.max()
                #expect(try #require(longest) >= idle / 2, "a byte has moved all the time")
            }
            #expect(LoopClock.Instant.now - start > idle)
        }
    }

    @Test("N4: bytes that the peer takes count at once, not only when the system takes more from the write")
    func steadyReader() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let idle = Duration.milliseconds(60)
            try await near.setIdleTimeout(idle)
            let writing = loop.spawn { try await near.write(Self.large) }
            // It takes some 250 ms until a third of the system's buffer is free.
            var reads = [LoopClock.Instant.now]
            var count = 0
            for try await _ in loop.ticks(every: .milliseconds(4)) {
                count += try await far.read(exactly: 16_384).count
                reads.append(.now)
                if reads.count == 75 { break }
            }
            while count < Self.large.count, let bytes = try await far.read() { count += bytes.count }
            do { try await writing.value } catch {
                #expect(code(of: error) == .timedOut)
                // On a busy machine it may be the time between some reads: the peer's system tells of four at a time.
                let longest = zip(reads, reads.dropFirst(4)).map { $1 - $0 }.max()
                #expect(try #require(longest) >= idle / 2, "a byte has moved all the time")
            }
        }
    }

    @Test func canBeChangedAndTurnedOff() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            #expect(try await near.idleTimeout == nil)
            try await near.setIdleTimeout(nil)
            #expect(try await near.idleTimeout == nil)
            try await near.setIdleTimeout(.seconds(1_000))
            let set = try #require(try await near.idleTimeout)
            #expect(set >= .seconds(1_000) && set < .seconds(1_000) + .microseconds(1))
            let reading = loop.spawn { try await near.read() }
            try await loop.waitUntilIdle()
            try await near.setIdleTimeout(Self.short)
            try await far.write([1])
            #expect(try await reading.value == [1])
            // The entry of the long timeout is in the queue.
            await expectError(.timedOut) { try await near.read() }
            try await near.setIdleTimeout(nil)
            let patient = loop.spawn { try await near.read() }
            try await loop.sleep(for: Self.short * 2)
            try await far.write([2])
            #expect(try await patient.value == [2])
            try await near.setIdleTimeout(.seconds(Int64.max))
            try await far.write([3])
            #expect(try await near.read() == [3])
        }
    }

    @Test("B2: timeouts that are not positive are refused")
    func notPositive() throws {
        try onLoop { _ in
            let (near, _) = try await connectedPair()
            let listener = try await TCPListener.onLoopback()
            for timeout in [Duration.zero, .seconds(-1)] {
                await expectError(.invalidArgument) { try await near.setIdleTimeout(timeout) }
                await expectError(.invalidArgument) { try await listener.serve(idleTimeout: timeout) { _ in } }
                await expectError(.invalidArgument) {
                    try await TCPConnection.connect(to: listener.localAddress, idleTimeout: timeout)
                }
            }
            let client = try await TCPConnection.connect(to: listener.localAddress, idleTimeout: Self.short)
            await expectError(.timedOut) { try await client.read() }
        }
    }

    @Test("C1: a cancelled read with an idle timeout ends at once; the next one has its time")
    func cancelled() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await near.setIdleTimeout(.seconds(1_000))
            let reading = loop.spawn { try await near.read() }
            try await loop.waitUntilIdle(waits: 0)
            reading.cancel()
            #expect(await failure(of: reading) is CancellationError)
            try await near.setIdleTimeout(Self.short)
            let start = LoopClock.Instant.now
            await Self.expectTimeout(since: { start }) { try await near.read() }
            try await far.write([1])
            #expect(try await near.read() == [1])
        }
    }

    @Test(
        "Connections that are closed in each way, dropped, and cut off by the end of their loop leave nothing to the clock"
    )
    func closed() throws {
        try onLoop { loop in
            for way in 0..<4 {
                var pair: (TCPConnection, TCPConnection)? = try await connectedPair()
                let near = pair!.0
                try await near.setIdleTimeout(Self.short)
                let reading = loop.spawn { [near = pair!.0] in try await near.read() }
                try await loop.waitUntilIdle()
                switch way {
                case 0: await near.close()
                case 1: await near.closeWithReset()
                case 2: try await near.withHandle { $0.close() }
                default: await pair!.1.close()
                }
                if way < 3 {
                    // On a busy machine its time may have come before.
                    let end = code(of: await failure(of: reading))
                    #expect(end == .canceled || end == .timedOut, "way \(way)")
                    await expectError(.badFileDescriptor) { try await near.read() }
                } else {
                    _ = await reading.result
                    #expect(try await near.read() == nil)
                }
                pair = nil
                // The entry would be due now.
                try await loop.sleep(for: Self.short * 2)
            }
        }
    }

    @Test("K1: a loop that ends with idle timeouts under way")
    func endOfTheLoop() async throws {
        let loop = try EventLoop()
        let (near, far) = try await connectedPair(on: loop)
        try await near.setIdleTimeout(.seconds(1_000))
        let reading = loop.spawn { try await near.read() }  // A task of the pool may be late, when nothing can be read.
        let writing = loop.spawn { try await near.write(Self.large) }
        try await loop.waitUntilIdle()
        await loop.shutdown()
        for error in [await failure(of: reading), await failure(of: writing)] { #expect(code(of: error) == .canceled) }
        await near.close()
        await far.close()
    }
}
