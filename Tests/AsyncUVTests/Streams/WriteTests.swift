import AsyncUV
import SystemPackage
import TestSupport
import Testing

/// Writing to a `TCPConnection`.
@Suite(.ownThread) struct WriteTests {
    @Test("B1: nothing to write, in every form, keeps its place in the order")
    func emptyWrites() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await near.write([])
            try await near.write(contentsOf: [])
            try await near.write(contentsOf: [[], []])
            try await near.write(contentsOf: [[], [1], [], [2, 3], []])
            #expect(try await far.read(exactly: 3) == [1, 2, 3])
            let filling = try await near.fill(loop)
            let isRead = Shared(false)
            let empty = [
                loop.spawn {
                    try await near.write([])
                    #expect(isRead.value)
                },
                loop.spawn {
                    try await near.write(contentsOf: [])
                    #expect(isRead.value)
                },
                loop.spawn {
                    try await near.write(contentsOf: [[], []])
                    #expect(isRead.value)
                },
            ]
            try await loop.waitUntilIdle()
            isRead.value = true
            let reading = loop.spawn { try await far.read(exactly: 16 << 20) }
            try await filling.value
            for write in empty { try await write.value }
            _ = try await reading.value
        }
    }

    @Test("Texts, slices and lent bytes; reads that append")
    func otherForms() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            let bytes: [UInt8] = [0, 1, 2, 3, 4]
            try await near.write("größer ")
            try await near.write(bytes[1..<3])
            try await near.write(bytes.span)
            try await near.write([])
            try await near.finishWriting()
            var received: [UInt8] = [42]
            while try await far.read(into: &received, upTo: 3) > 0 {}
            #expect(received == [42] + Array("größer ".utf8) + [1, 2] + bytes)
            await expectError(.invalidArgument) {
                var none: [UInt8] = []
                return try await far.read(into: &none, upTo: 0)
            }
        }
    }

    @Test("C1: texts, slices and lent bytes that do not fit at once leave as a whole, also when cancelled")
    func otherFormsThatWait() throws {
        try onLoop { loop in
            let bytes = (0..<8 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7) & 0x7f }
            let text = String(decoding: bytes, as: UTF8.self)
            let forms: [@Sendable (TCPConnection) async throws -> Void] = [
                { try await $0.write(text) }, { try await $0.write(bytes[...]) }, { try await $0.write(bytes.span) },
            ]
            for form in forms {
                let (near, far) = try await connectedPair()
                let first = loop.spawn { try await form(near) }
                try await loop.waitUntilIdle()
                let second = loop.spawn { try await form(near) }
                try await loop.waitUntilIdle()
                first.cancel()
                second.cancel()
                #expect(await failure(of: first) is CancellationError)
                #expect(await failure(of: second) is CancellationError)
                let last = loop.spawn {
                    try await near.write("")
                    try await near.finishWriting()
                }
                #expect(try await far.readToEnd() == bytes)
                try await last.value
            }
        }
    }

    @Test func contentsOfManyChunks() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let chunks = (0..<5_000).map { number in
                [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number % 2_000)
            }
            let writing = loop.spawn {
                try await near.write(contentsOf: chunks)
                try await near.finishWriting()
            }
            #expect(try await far.readToEnd() == chunks.flatMap { $0 })
            try await writing.value
        }
    }

    @Test("Writers side by side never interleave within a write")
    func concurrentWriters() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let size = 100_000
            let writers = (0..<20).map { number in
                loop.spawn {
                    for _ in 0..<3 {
                        if number % 2 == 0 {
                            try await near.write([UInt8](repeating: UInt8(number), count: size))
                        } else {
                            try await near.write(
                                contentsOf: [[UInt8]](
                                    repeating: [UInt8](repeating: UInt8(number), count: size / 10), count: 10))
                        }
                    }
                }
            }
            for _ in 0..<60 {
                let piece = try await far.read(exactly: size)
                #expect(Set(piece).count == 1)
            }
            for writer in writers { try await writer.value }
        }
    }

    @Test("Writers on other threads never interleave within a write")
    func writersElsewhere() async throws {
        try await withOwnLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let size = 200_000
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<10 {
                    group.addTask { try await near.write([UInt8](repeating: UInt8(number), count: size)) }
                }
                for _ in 0..<10 { #expect(Set(try await far.read(exactly: size)).count == 1) }
                try await group.waitForAll()
            }
        }
    }

    @Test("C1: a cancelled write is never torn: what it began leaves before any later write")
    func cancelledWrite() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let first = [UInt8](repeating: 1, count: 16 << 20)
            let writing = loop.spawn { try await near.write(first) }
            try await loop.waitUntilIdle()
            writing.cancel()
            #expect(await failure(of: writing) is CancellationError)
            let second = loop.spawn {
                try await near.write([2, 2, 2])
                try await near.finishWriting()
            }
            #expect(try await far.readToEnd() == first + [2, 2, 2])
            try await second.value
        }
    }

    @Test("C1: writes that are given up while they wait for others are not sent, and not kept")
    func cancelledInTheQueue() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let first = [UInt8](repeating: 1, count: 16 << 20)
            let begun = loop.spawn { try await near.write(first) }
            try await loop.waitUntilIdle()
            let waiting = try await near.withHandle { $0.writeQueueSize }
            for number in 0..<200 {
                let chunk = [UInt8](repeating: 2, count: 1 << 20)
                let writing = loop.spawn {
                    try await number % 2 == 0 ? near.write(chunk) : near.write(contentsOf: [chunk, [3], chunk])
                }
                try await loop.waitUntilIdle()
                writing.cancel()
                #expect(await failure(of: writing) is CancellationError)
                #expect(try await near.withHandle { $0.writeQueueSize } == waiting)
            }
            let last = loop.spawn {
                try await near.write([4])
                try await near.finishWriting()
            }
            #expect(try await far.readToEnd() == first + [4])
            try await begun.value
            try await last.value
        }
    }

    @Test("A write from a task that does not prefer the loop is one piece, too")
    func oneFromElsewhere() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let size = 4 << 20
            let actor = LoopCounter(loop)
            let fromActor = Task.detached {
                for number in 0..<4 { try await actor.write([UInt8](repeating: UInt8(number), count: size), to: near) }
            }
            let fromLoop = loop.spawn {
                for number in 4..<8 { try await near.write([UInt8](repeating: UInt8(number), count: size)) }
            }
            for _ in 0..<8 { #expect(Set(try await far.read(exactly: size)).count == 1) }
            try await fromActor.value
            try await fromLoop.value
        }
    }

    @Test("C1: an already cancelled task writes nothing")
    func cancelledBefore() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let writing = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                #expect(await failure(of: Task { try await near.write([]) }) == nil)
                await #expect(throws: CancellationError.self) { try await near.write(contentsOf: [[1]]) }
                try await near.write([1])
            }
            writing.cancel()
            #expect(await failure(of: writing) is CancellationError)
            try await near.finishWriting()
            #expect(try await far.read() == nil)
        }
    }

    @Test func duplexFromTwoTasks() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
            let tasks = [(near, far), (far, near)].map { one, _ in
                (
                    loop.spawn {
                        try await one.write(bytes)
                        try await one.finishWriting()
                    }, loop.spawn { try await one.readToEnd() }
                )
            }
            for (writing, reading) in tasks {
                try await writing.value
                #expect(try await reading.value == bytes)
            }
        }
    }

    @Test("N2: we finish our output, then read the rest; and mirrored")
    func halfClose() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let answer = [UInt8](repeating: 9, count: 10 << 20)
            let server = loop.spawn {
                #expect(try await far.readToEnd() == [1, 2, 3])
                try await far.write(answer)
                await far.close()
            }
            try await near.write([1, 2, 3])
            try await near.finishWriting()
            await expectError(.socketShutdown) { try await near.write([4]) }
            await #expect(throws: UVError.self) { try await near.finishWriting() }
            #expect(try await near.readToEnd() == answer)
            try await server.value
        }
    }

    @Test func finishWritingComesAfterWhatWaits() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let filling = try await near.fill(loop)
            let finishing = loop.spawn { try await near.finishWriting() }
            try await loop.waitUntilIdle()
            #expect(try await far.readToEnd().count == 16 << 20)
            try await filling.value
            try await finishing.value
        }
    }

    @Test("C1: finishWriting cancelled while bytes wait still happens")
    func cancelledFinishWriting() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let filling = try await near.fill(loop)
            let finishing = loop.spawn { try await near.finishWriting() }
            try await loop.waitUntilIdle()
            finishing.cancel()
            #expect(await failure(of: finishing) is CancellationError)
            #expect(try await far.readToEnd().count == 16 << 20)
            try await filling.value
        }
    }

    @Test("N1: 8 MiB queued in several writes, the peer resets: every write ends once with a typed error")
    func resetDuringWrites() throws {
        try onLoop { loop in
            let (near, peer) = try await plainPeerPair()
            let writers = (0..<8).map { number in
                loop.spawn { try await near.write([UInt8](repeating: 1, count: number == 0 ? 16 << 20 : 1 << 20)) }
            }
            let reader = loop.spawn { try await near.read() }
            try await loop.waitUntilIdle()
            try peer.closeWithReset()
            for writer in writers {
                let found = code(of: await failure(of: writer))
                #expect(found == .connectionReset || found == .brokenPipe)
            }
            let found = await reader.result
            if case .failure(let error) = found { #expect(code(of: error) == .connectionReset) }
            let again = code(of: await failure(of: Task { try await near.write([1]) }))
            #expect(again == .connectionReset || again == .brokenPipe)
            await near.close()
        }
    }

    @Test("Write returns when the system has the bytes: the writer of a silent peer is suspended")
    func backpressure() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let written = Shared(0)
            let writing = loop.spawn {
                for _ in 0..<1_024 {
                    try await near.write([UInt8](repeating: 1, count: 65_536))
                    written.change { $0 += 65_536 }
                }
                try await near.finishWriting()
            }
            try await loop.waitUntilIdle()
            let stuck = written.value
            #expect(stuck < 64 << 20)
            try await loop.waitUntilIdle()
            #expect(written.value - stuck <= 8 << 20)
            #expect(try await far.readToEnd().count == 64 << 20)
            try await writing.value
        }
    }
}

extension LoopCounter {
    /// On the loop's thread, by a task that need not prefer the loop.
    fileprivate func write(_ bytes: [UInt8], to connection: TCPConnection) async throws {
        try await connection.write(bytes)
    }
}
