@testable import AsyncUVHTTP
import AsyncUV
import TestSupport
import Testing
import UV

/// Conversations over streams in memory and over TCP.
@Suite(.ownThread) struct WebSocketTests {
    private static func pair(
        on loop: EventLoop, limits: WebSocketLimits = WebSocketLimits()
    ) async throws -> (client: WebSocket, server: WebSocket) {
        let (near, far) = try await connectedPair(on: loop)
        return (WebSocket(near, role: .client, limits: limits), WebSocket(far, role: .server, limits: limits))
    }

    /// What a server does with a script: messages, the error at the end, and the frames that it has sent.
    private static func serve(
        _ chunks: [[UInt8]], role: WebSocketRole = .server, limits: WebSocketLimits = WebSocketLimits()
    ) throws -> (
        messages: [WebSocketMessage], error: WebSocketError?, sent: [(first: UInt8, payload: [UInt8], isMasked: Bool)]
    ) {
        let outcome = try onLoop { loop in
            let stream = ScriptedStream(chunks, on: loop)
            let socket = WebSocket(stream, role: role, limits: limits)
            var messages: [WebSocketMessage] = []
            var failure: WebSocketError?
            do {
                for try await message in socket { messages.append(message) }
            } catch let error as WebSocketError {
                failure = error
                // It stays so.
                await #expect(throws: error) { try await socket.next() }
                await #expect(throws: error) { try await socket.send("more") }
            }
            try await loop.waitUntilIdle()
            #expect(stream.isClosed)
            return (messages, failure, stream.written)
        }
        return (outcome.0, outcome.1, Frames.parse(outcome.2))
    }

    // MARK: Scripts

    @Test func violationsAreToldAndThrown() throws {
        let wrong: [([UInt8], UInt16, WebSocketError.Kind)] = [
            (Frames.frame(0xC1, masked: true), 1002, .protocolViolation),
            (Frames.text("x", masked: false), 1002, .protocolViolation),
            (Frames.frame(0x83, masked: true), 1002, .protocolViolation),
            (Frames.frame(0x81, [0xC0, 0xAF], masked: true), 1007, .invalidText),
            (Frames.frame(0x82, [UInt8](repeating: 0, count: 101), masked: true), 1009, .tooLarge),
        ]
        for (bytes, code, kind) in wrong {
            let before = Frames.text("before", masked: true)
            let behind = Frames.text("behind", masked: true)
            let outcome = try Self.serve([before + bytes + behind], limits: WebSocketLimits(message: 100))
            #expect(outcome.messages == [.text("before")])
            #expect(outcome.error?.kind == kind)
            #expect(outcome.error?.closeCode.rawValue == code)
            #expect(outcome.sent.count == 1)
            #expect(outcome.sent.first?.first == 0x88)
            #expect(outcome.sent.first?.payload.prefix(2) == [UInt8(code >> 8), UInt8(code & 255)])
        }
    }

    @Test func theEndWithoutAGoodbyeIsAnError() throws {
        for end in [[], Frames.text("half", masked: true).dropLast(), Frames.frame(0x01, [65], masked: true)] {
            let outcome = try Self.serve([Frames.text("whole", masked: true), Array(end)])
            #expect(outcome.messages == [.text("whole")])
            #expect(outcome.error?.kind == .truncated)
            #expect(outcome.error?.closeCode == .abnormal)
            #expect(outcome.sent.isEmpty)
        }
    }

    @Test(arguments: [WebSocketRole.server, .client])
    func goodbyesAreAnswered(_ role: WebSocketRole) throws {
        let masked = role == .server
        for code: UInt16 in [1000, 1001] {
            let bytes = Frames.close(code, "enough", masked: masked) + Frames.text("behind", masked: masked)
            let outcome = try Self.serve([bytes], role: role)
            #expect(outcome.messages.isEmpty && outcome.error == nil)
            #expect(outcome.sent.count == 1 && outcome.sent[0].isMasked == !masked)
            #expect(outcome.sent.first?.payload == [UInt8(code >> 8), UInt8(code & 255)])
        }
        let empty = try Self.serve([Frames.frame(0x88, masked: masked)], role: role)
        #expect(empty.error == nil && empty.sent.first?.payload == [])
        let failed = try Self.serve([Frames.close(1011, "out of memory", masked: masked)], role: role)
        #expect(failed.error == WebSocketError(.closed, .internalError, "out of memory"))
        #expect(failed.sent.first?.payload == [3, 243])
    }

    @Test func pingsAreAnsweredAlsoWithinAMessage() throws {
        let bytes =
            Frames.frame(0x89, Array("one".utf8), masked: true) + Frames.frame(0x01, [65], masked: true)
            + Frames.frame(0x89, Array("two".utf8), masked: true) + Frames.frame(0x8A, [1], masked: true)
        let outcome = try Self.serve([bytes, Frames.frame(0x80, [66], masked: true)])
        #expect(outcome.messages == [.text("AB")])
        #expect(outcome.sent.map(\.first) == [0x8A, 0x8A])
        #expect(outcome.sent.map(\.payload) == [Array("one".utf8), Array("two".utf8)])
    }

    @Test func tenPingsAreTenPongsAndAFloodIsAnsweredInPart() throws {
        let ten = (0..<10).map { Frames.frame(0x89, [$0], masked: true) }
        #expect(try Self.serve([Array(ten.joined())]).sent.map(\.payload) == (0..<10).map { [$0] })
        let flood = (0..<200).map { Frames.frame(0x89, [$0], masked: true) }
        let answers = try Self.serve([Array(flood.joined())]).sent.map(\.payload)
        #expect(answers == (184..<200).map { [$0] })
    }

    // MARK: TCP

    @Test func messagesBothWays() throws {
        try onLoop { loop in
            let (client, server) = try await Self.pair(on: loop)
            let echo = loop.spawn { for try await message in server { try await server.send(message) } }
            let sizes = [0, 1, 125, 126, 8_192, 8_193, 65_535, 65_536, 1 << 20]
            for size in sizes {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                try await client.send(bytes)
                #expect(try await client.next() == .binary(bytes))
                try await client.send(bytes.span)
                #expect(try await client.next() == .binary(bytes))
                let text = String(repeating: "é", count: size / 2)
                try await client.send(text)
                #expect(try await client.next() == .text(text))
            }
            await client.close(.normal, reason: "done")
            try await echo.value
            #expect(server.closeCode == .normal && server.closeReason == "done")
            #expect(client.closeCode == .normal)
            #expect(try await client.next() == nil)
            let error = await #expect(throws: WebSocketError.self) { try await client.send("late") }
            #expect(error?.kind == .closed)
            await client.close()
            await server.close()
        }
    }

    /// Both send more than the system takes, and pings, and each reads only when it can: nobody waits for the other.
    @Test func twoThatSendMuchAndPing() throws {
        try onLoop { loop in
            let (client, server) = try await Self.pair(on: loop, limits: WebSocketLimits(message: 32 << 20))
            let large = [UInt8](repeating: 5, count: 16 << 20)
            let sending = [client, server].map { socket in
                loop.spawn {
                    for number in 0..<4 {
                        try await socket.ping([UInt8(number)])
                        try await socket.send(large)
                    }
                }
            }
            try await loop.waitUntilIdle()
            let reading = [client, server].map { socket in
                loop.spawn {
                    for _ in 0..<4 {
                        let message = try await socket.next()
                        #expect(message == .binary(large))
                    }
                }
            }
            for task in sending + reading { try await task.value }
            async let end = server.next()
            await client.close()
            #expect(try await end == nil)
        }
    }

    @Test func aCancelledReadLosesNothing() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let server = WebSocket(near, role: .server)
            let bytes =
                Frames.frame(0x01, Array("Hel".utf8), masked: true) + Frames.frame(0x89, [7], masked: true)
                + Frames.frame(0x80, Array("lo".utf8), masked: true) + Frames.text("next", masked: true)
            let expected: [WebSocketMessage] = [.text("Hello"), .text("next")]
            for split in 0...bytes.count {
                let received = Shared<[WebSocketMessage]>([])
                @Sendable func read() -> Task<Void, any Error> {
                    loop.spawn {
                        while let message = try await server.next() { received.change { $0.append(message) } }
                    }
                }
                let first = read()
                try await far.write(bytes[..<split])
                try await loop.waitUntilIdle()
                first.cancel()
                _ = await first.result
                let second = read()
                try await far.write(bytes[split...])
                while received.value.count < 2 { try await loop.waitUntilIdle() }
                second.cancel()
                _ = await second.result
                #expect(received.value == expected, "split at \(split)")
            }
            let pongs = Frames.parse(try await far.read(exactly: 3 * (bytes.count + 1)))
            #expect(pongs.allSatisfy { $0.first == 0x8A && $0.payload == [7] })
            await server.close(.abnormal)
            await far.close()
        }
    }

    @Test func aCancelledSendLeavesNoHalfFrame() throws {
        try onLoop { loop in
            let (client, server) = try await Self.pair(on: loop, limits: WebSocketLimits(message: 32 << 20))
            let large = [UInt8](repeating: 1, count: 16 << 20)
            // The first has begun, the second waits.
            let begun = loop.spawn { try await client.send(large) }
            try await loop.waitUntilIdle()
            let waiting = loop.spawn { try await client.send("never") }
            try await loop.waitUntilIdle()
            begun.cancel()
            waiting.cancel()
            _ = await begun.result
            _ = await waiting.result
            async let sent: Void = client.send("afterwards")
            #expect(try await server.next() == .binary(large))
            #expect(try await server.next() == .text("afterwards"))
            try await sent
            await client.close(.abnormal)
            await server.close(.abnormal)
        }
    }

    @Test func oneReaderAtATime() throws {
        try onLoop { loop in
            let (client, server) = try await Self.pair(on: loop)
            let reading = loop.spawn { try await server.next() }
            try await loop.waitUntilIdle()
            await expectError(.alreadyInProcess) { try await server.next() }
            // The one that reads gets the end.
            await client.close()
            #expect(try await reading.value == nil)
        }
    }

    @Test func closingWhileAnotherTaskReads() throws {
        try onLoop { loop in
            let (client, server) = try await Self.pair(on: loop)
            let reading = loop.spawn {
                var messages: [WebSocketMessage] = []
                for try await message in client { messages.append(message) }
                return messages
            }
            try await loop.waitUntilIdle()
            let closing = loop.spawn { await client.close(.goingAway, reason: "home") }
            // The peer may still say something before it says goodbye.
            try await server.send("farewell")
            #expect(try await server.next() == nil)
            try await closing.value
            #expect(try await reading.value == [.text("farewell")])
            #expect(server.closeCode == .goingAway && server.closeReason == "home")
        }
    }

    @Test func closingWhileTheReaderIsBusy() throws {
        try onLoop { loop in
            let (client, server) = try await Self.pair(on: loop)
            let goOn = AsyncSemaphore(permits: 0, on: loop)
            let reading = loop.spawn {
                for try await message in client {
                    #expect(message == .text("work"))
                    try await goOn.acquire()
                }
            }
            try await server.send("work")
            try await loop.waitUntilIdle()
            let closing = loop.spawn { await client.close() }
            try await loop.waitUntilIdle()
            // It comes back while `close` waits for the peer.
            goOn.release()
            try await loop.waitUntilIdle()
            #expect(try await server.next() == nil)
            try await closing.value
            try await reading.value
        }
    }

    @Test func bothCloseAtOnce() throws {
        try onLoop { loop in
            let (client, server) = try await Self.pair(on: loop)
            async let one: Void = client.close()
            async let other: Void = server.close(.goingAway)
            _ = await (one, other)
            #expect(client.closeCode == .goingAway && server.closeCode == .normal)
            #expect(try await client.next() == nil)
            #expect(try await server.next() == nil)
        }
    }

    @Test func aPeerThatDoesNotAnswerTheGoodbye() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let server = WebSocket(near, role: .server, limits: WebSocketLimits(closeTimeout: .milliseconds(20)))
            await server.close(WebSocketCloseCode(rawValue: 4_711) ?? .normal, reason: "go")
            #expect(Frames.parse(try await far.readToEnd()).map(\.payload) == [[0x12, 0x67] + Array("go".utf8)])
            #expect(try await server.next() == nil)
            await far.close()
        }
    }

    @Test func aCancelledCloseClosesAtOnce() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let server = WebSocket(near, role: .server, limits: WebSocketLimits(closeTimeout: .seconds(3_600)))
            let closing = loop.spawn { await server.close() }
            try await loop.waitUntilIdle()
            closing.cancel()
            try await closing.value
            await far.close()
        }
    }

    @Test func goodbyesOfAPeerThatDoesNotRead() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let server = WebSocket(near, role: .server, limits: WebSocketLimits(closeTimeout: .milliseconds(20)))
            let sending = loop.spawn { try await server.send([UInt8](repeating: 1, count: 16 << 20)) }
            try await loop.waitUntilIdle()
            try await far.write(Frames.close(1000, masked: true))
            #expect(try await server.next() == nil)
            _ = await sending.result
            await far.close()
        }
    }

    @Test func resetsAreErrorsOfTheStream() throws {
        try onLoop { loop in
            let (client, server) = try await Self.pair(on: loop)
            let reading = loop.spawn { try await server.next() }
            try await loop.waitUntilIdle()
            await (client.stream as? TCPConnection)?.closeWithReset()
            await expectError(.connectionReset) { try await reading.value }
            await server.close(.abnormal)
        }
    }

    @Test func silentPeersAreFoundAndOthersKept() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let silent = WebSocket(near, role: .server)
            let reading = loop.spawn { try await silent.next() }
            try await silent.keepAlive(every: .milliseconds(5), timeout: .milliseconds(5))
            let error = await #expect(throws: WebSocketError.self) { try await reading.value }
            #expect(error?.kind == .unanswered)
            #expect(Frames.parse(try await far.readToEnd()).map(\.first) == [0x89])
            await far.close()

            let (client, server) = try await Self.pair(on: loop)
            let others = [client, server].map { socket in loop.spawn { try await socket.next() } }
            let alive = loop.spawn { try await server.keepAlive(every: .milliseconds(1), timeout: .seconds(60)) }
            try await loop.sleep(for: .milliseconds(20))
            #expect(client.closeCode == nil && server.closeCode == nil)
            others[0].cancel()
            _ = await others[0].result
            await client.close()
            #expect(try await others[1].value == nil)
            alive.cancel()
            _ = await alive.result
        }
    }

    @Test func callersOnOtherThreadsAndActors() async throws {
        let loop = try EventLoop()
        let (client, server) = try await Self.pair(on: loop)
        async let echoed: Void = { for try await message in server { try await server.send(message) } }()
        try await withThrowingTaskGroup { group in
            for number in 0..<100 { group.addTask { try await client.send("\(number)") } }
            try await group.waitForAll()
        }
        var answers: Set<String> = []
        while answers.count < 100, case .text(let text)? = try await client.next() { answers.insert(text) }
        #expect(answers == Set((0..<100).map(String.init)))
        await client.close()
        try await echoed
        await loop.shutdown()
    }

    @Test func manySmallMessagesOfOneChunkLetOthersRun() throws {
        try onLoop { loop in
            let bytes = (0..<2_000).flatMap { _ in Frames.text("x", masked: true) }
            let socket = WebSocket(ScriptedStream([bytes], on: loop), role: .server)
            let turns = Shared(0)
            let other = loop.spawn {
                while !Task.isCancelled {
                    turns.change { $0 += 1 }
                    await Task.yield()
                }
            }
            for _ in 0..<2_000 {
                let message = try await socket.next()
                #expect(message == .text("x"))
            }
            other.cancel()
            #expect(turns.value > 10)
        }
    }
}
