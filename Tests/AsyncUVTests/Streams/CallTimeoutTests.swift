import AsyncUV
import TestSupport
import Testing
import UV

/// The `timeout:` of single calls.
@Suite(.ownThread) struct CallTimeoutTests {
    private static let short = Duration.milliseconds(10)
    private static let long = Duration.seconds(1_000)
    private static let large = [UInt8](repeating: 7, count: 16 << 20)

    @Test("A read that times out is never early, names operation and peer, and loses nothing")
    func read() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            for caller in Caller.allCases {
                let start = LoopClock.Instant.now
                let reading = caller.spawn(on: loop) { _ = try await near.read(timeout: Self.short) }
                let error = await failure(of: reading)
                #expect("\(error!)" == "timed out (ETIMEDOUT) in read from \(near.remoteAddress)")
                #expect(LoopClock.Instant.now - start >= Self.short)
            }
            try await far.write([1, 2, 3])
            #expect(try await near.read(upTo: 2, timeout: Self.long) == [1, 2])
            #expect(try await near.read(timeout: .zero) == [3], "bytes that are here need no time")
            try await near.unread([4])
            #expect(try await near.read(timeout: .seconds(-1)) == [4])
            await expectError(.timedOut) { try await near.read(timeout: .zero) }
            try await far.write([5])
            // Loopback may deliver a little later on a busy machine.
            var bytes: [UInt8]?
            while bytes == nil {
                do { bytes = try await near.read(timeout: .zero) } catch UVError.Code.timedOut {}
            }
            #expect(bytes == [5], "and so do those that the system has")
            await far.close()
            #expect(try await near.read(timeout: Self.long) == nil)
        }
    }

    @Test("The timeout of one read is not that of the next, longer, shorter or without one")
    func oneAfterTheOther() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            /// Reads what comes after a while.
            @Sendable func late(_ timeout: Duration?) async throws -> [UInt8]? {
                let reading = loop.spawn { try await near.read(timeout: timeout) }
                try await loop.sleep(for: Self.short * 3)
                try await far.write([1])
                return try await reading.value
            }
            for timeout in [Self.long, nil, .seconds(Int64.max), Self.long] {
                try await far.write([0])
                #expect(try await near.read(timeout: Self.short) == [0])
                let quick = loop.spawn { try await near.read(timeout: Self.short) }
                try await loop.waitUntilIdle()
                try await far.write([2])
                // It comes in time, or is for the next read: the machine may be busy.
                if (try? await quick.value) == nil { #expect(try await near.read() == [2]) }
                #expect(try await late(timeout) == [1])
            }
            await expectError(.timedOut) { try await near.read(timeout: Self.short) }
            let plain = loop.spawn { try await near.read() }
            try await loop.sleep(for: Self.short * 3)
            try await far.write([3])
            #expect(try await plain.value == [3])
        }
    }

    @Test("Reads that time out again and again lose no byte, in the task of serve and in others")
    func storm() throws {
        try onLoop { loop in
            let bytes = (0..<3_000).map { UInt8(truncatingIfNeeded: $0) }
            @Sendable func collect(_ connection: TCPConnection) async throws -> [UInt8] {
                var all: [UInt8] = []
                var timeouts = 0
                while true {
                    do {
                        let isTimed = timeouts % 3 != 2
                        let chunk =
                            isTimed
                            ? try await connection.read(upTo: 3, timeout: .microseconds(timeouts % 5))
                            : try await connection.read(upTo: 2)
                        if !isTimed { timeouts += 1 }
                        guard let chunk else { return all }
                        all += chunk
                    } catch UVError.Code.timedOut { timeouts += 1 }
                }
            }
            @Sendable func send(by connection: TCPConnection) async throws {
                for (index, byte) in bytes.enumerated() {
                    try await connection.write([byte])
                    if index % 50 == 0 { try await loop.sleep(for: .milliseconds(1)) } else { await Task.yield() }
                }
                try await connection.finishWriting()
            }
            let (near, far) = try await connectedPair()
            let sending = loop.spawn { try await send(by: far) }
            #expect(try await collect(near) == bytes)
            try await sending.value

            let listener = try await TCPListener.onLoopback()
            let served = Shared<[UInt8]>([])
            let serving = loop.spawn { try await listener.serve { served.value = try await collect($0) } }
            let client = try await TCPConnection.connect(to: listener)
            try await send(by: client)
            await listener.close()
            try await serving.value
            #expect(served.value == bytes)
        }
    }

    @Test("C1: a cancelled read with a timeout ends with the cancellation, and loses nothing")
    func cancelled() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let reading = loop.spawn { try await near.read(timeout: Self.long) }
            try await loop.waitUntilIdle()
            reading.cancel()
            #expect(await failure(of: reading) is CancellationError)
            let late = loop.spawn {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                return try await near.read(timeout: Self.long)
            }
            #expect(await failure(of: late) is CancellationError)
            try await far.write([1])
            #expect(try await near.read(timeout: Self.long) == [1])
        }
    }

    @Test("The timeout of a line, a piece, a number of bytes is for all of it; what came can be read")
    func pieces() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let sending = loop.spawn {
                for try await _ in loop.ticks(every: .milliseconds(2)) { try await far.write("a") }
            }
            let start = LoopClock.Instant.now
            await expectError(.timedOut) { try await near.readLine(timeout: Self.short) }
            await expectError(.timedOut) { try await near.readLineBytes(timeout: Self.short) }
            await expectError(.timedOut) { try await near.readUntil(10, timeout: Self.short) }
            await expectError(.timedOut) { try await near.read(exactly: 1 << 20, timeout: Self.short) }
            #expect(LoopClock.Instant.now - start >= Self.short * 4)
            sending.cancel()
            _ = await sending.result
            try await far.write("\nnext\nbytes\nlast")
            let line = try #require(try await near.readLine(timeout: Self.long))
            #expect(line.allSatisfy { $0 == "a" })
            #expect(try await near.readLine(timeout: .zero) == "next")
            #expect(try await near.readLineBytes(timeout: .zero) == Array("bytes".utf8))
            var buffer: [UInt8] = [1]
            #expect(try await near.read(into: &buffer, timeout: Self.short) == 4)
            #expect(buffer == [1] + Array("last".utf8))
            await expectError(.timedOut) { try await near.read(into: &buffer, timeout: Self.short) }
            await expectError(.timedOut) { try await near.withBytes(timeout: Self.short) { _ in (used: 0, value: ()) } }
        }
    }

    @Test("N4: a write that has begun leaves as a whole, nothing leaves of one that waited for it")
    func write() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await near.write([1], timeout: .zero)
            #expect(try await far.read() == [1])
            for caller in Caller.allCases {
                let start = LoopClock.Instant.now
                let writing = caller.spawn(on: loop) { try await near.write(Self.large, timeout: Self.short) }
                let error = await failure(of: writing)
                #expect("\(error!)" == "timed out (ETIMEDOUT) in write to \(near.remoteAddress)")
                #expect(LoopClock.Instant.now - start >= Self.short)
            }
            await expectError(.timedOut) { try await near.write("nothing of this", timeout: Self.short) }
            await expectError(.timedOut) { try await near.write(contentsOf: [[9], [9]], timeout: .zero) }
            await expectError(.timedOut) { try await near.finishWriting(timeout: Self.short) }
            let all = try await far.readToEnd()
            #expect(all.count == Self.large.count && all.allSatisfy { $0 == 7 })
        }
    }

    @Test("N4: slices and lent bytes leave as a whole or not at all, too")
    func otherForms() throws {
        try onLoop { loop in
            let forms: [@Sendable (TCPConnection, [UInt8], Duration) async throws -> Void] = [
                { try await $0.write($1[1...], timeout: $2) },
                { try await $0.write($1.span.extracting(droppingFirst: 1), timeout: $2) },
            ]
            for form in forms {
                let (near, far) = try await connectedPair()
                try await form(near, [0, 1, 2], Self.long)
                #expect(try await far.read(exactly: 2) == [1, 2])
                try await Task.detached { try await form(near, [0, 3], Self.long) }.value
                #expect(try await far.read() == [3])
                // The first one begins; the others wait for it.
                for caller in Caller.allCases {
                    let start = LoopClock.Instant.now
                    let writing = caller.spawn(on: loop) { try await form(near, Self.large, Self.short) }
                    let error = await failure(of: writing)
                    #expect("\(error!)" == "timed out (ETIMEDOUT) in write to \(near.remoteAddress)")
                    #expect(LoopClock.Instant.now - start >= Self.short)
                }
                await expectError(.timedOut) { try await near.finishWriting(timeout: Self.short) }
                let all = try await far.readToEnd()
                #expect(all.count == Self.large.count - 1 && all.allSatisfy { $0 == 7 })
            }
        }
    }

    @Test func accept() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let start = LoopClock.Instant.now
            do {
                _ = try await listener.accept(timeout: Self.short)
                Issue.record("nobody was there")
            } catch { #expect("\(error)" == "timed out (ETIMEDOUT) in accept of \(listener.localAddress)") }
            #expect(LoopClock.Instant.now - start >= Self.short)
            // Nothing is lost, however the two fall together.
            for _ in 0..<50 {
                let client = try await TCPConnection.connect(to: listener)
                try await client.write([5])
                var accepted: TCPConnection?
                while accepted == nil { accepted = try? await listener.accept(timeout: .microseconds(500)) ?? nil }
                #expect(try await accepted?.read() == [5])
            }
            let waiting = Task.detached { try await listener.accept(timeout: Self.long) }
            try await loop.waitUntilIdle(waits: 1)
            await listener.close()
            #expect(try await waiting.value == nil)
        }
    }

    @Test("The body of an offload goes on in the background when its time is over")
    func offload() throws {
        try onLoop { loop in
            #expect(try await loop.offload(timeout: Self.long) { 3 } == 3)
            await #expect(throws: CancellationError.self) {
                try await loop.offload(timeout: Self.long) { throw CancellationError() }
            }
            let (near, far) = try await plainPeerPair()
            let start = LoopClock.Instant.now
            await expectError(.timedOut) {
                // Until the other side closes.
                try await loop.offload(timeout: Self.short) { try far.read(upTo: 1) }
            }
            #expect(LoopClock.Instant.now - start >= Self.short)
            await near.close()
        }
    }
}
