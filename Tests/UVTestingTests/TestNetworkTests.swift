import AsyncUV
import TestSupport
import Testing
import UVTesting

@Suite struct TestNetworkTests {
    private static let server = SocketAddress("10.0.0.2:80") ?? .loopback(port: 80)

    // MARK: How bytes travel

    @Test func aByteIsUnderWayForTheLatency() throws {
        try TestLoop.run { test in
            let (client, server) = TestNetwork(test, conditions: LinkConditions(latency: .milliseconds(70))).pair()
            let echo = test.loop.spawn { for try await chunk in server { try await server.write(chunk) } }
            try await client.write("ping")
            #expect(test.elapsed == .zero)
            #expect(try await client.read() == Array("ping".utf8))
            #expect(test.elapsed == .milliseconds(140))
            try await client.finishWriting()
            try await echo.value
        }
    }

    @Test func bytesLeaveNoFasterThanTheBandwidth() throws {
        try TestLoop.run { test in
            let (client, server) = TestNetwork(test, conditions: LinkConditions(bandwidth: 1_000)).pair()
            try await client.write(Array(repeating: 1, count: 3_000))
            try await client.finishWriting()
            #expect(try await server.readToEnd().count == 3_000)
            #expect(test.elapsed == .seconds(3))
        }
    }

    @Test func aWriteWaitsUntilTheReaderMakesRoom() throws {
        try TestLoop.run { test in
            let (client, server) = TestNetwork(test, conditions: LinkConditions(buffer: 1_000)).pair()
            let hasWritten = Shared(false)
            let writer = test.loop.spawn {
                try await client.write(Array(repeating: 1, count: 1_500))
                hasWritten.withLock { $0 = true }
            }
            try await test.waitUntilIdle()
            #expect(!hasWritten.value)
            _ = try await server.read(exactly: 500)
            try await writer.value
            #expect(hasWritten.value)
            #expect(try await server.read(exactly: 1_000).count == 1_000)
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func roughLinksKeepBytesInOrder(seed: UInt64) throws {
        try TestLoop.run(seed: seed) { test in
            let (client, server) = TestNetwork(test, conditions: .rough).pair()
            let sent = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
            async let received = server.readToEnd()
            var random = test.makeRandom()
            var offset = 0
            while offset < sent.count {
                let count = Int.random(in: 1...min(5_000, sent.count - offset), using: &random)
                try await client.write(sent[offset..<offset + count])
                offset += count
            }
            try await client.finishWriting()
            #expect(try await received == sent, "\(test)")
        }
    }

    @Test func shortReadsAndWritesCutLinesAnywhere() throws {
        let conditions = LinkConditions(hasShortReads: true, hasShortWrites: true)
        try TestLoop.run(seeds: 0..<20) { test in
            let (client, server) = TestNetwork(test, conditions: conditions).pair()
            let writer = test.loop.spawn {
                for number in 0..<50 { try await client.write("line \(number)\r\n") }
                try await client.finishWriting()
            }
            var lines: [String] = []
            for try await line in server.lines() { lines.append(line) }
            try await writer.value
            #expect(lines == (0..<50).map { "line \($0)" }, "\(test)")
        }
    }

    @Test func theSameSeedHasTheSameTraceOverARoughNetwork() throws {
        func hash(_ seed: UInt64) throws -> UInt64 {
            try TestLoop.run(seed: seed) { test in
                let network = TestNetwork(test, conditions: .rough)
                let listener = try network.listen(at: Self.server)
                let serving = test.loop.spawn {
                    try await listener.serve { connection in
                        for try await line in connection.lines() { try await connection.write("\(line)!\n") }
                    }
                }
                try await withThrowingDiscardingTaskGroup { group in
                    for client in 0..<5 {
                        group.addTask(executorPreference: test.loop) {
                            let connection = try await network.connect(to: Self.server)
                            for number in 0..<5 {
                                try await connection.write("\(client) \(number)\n")
                                _ = try await connection.readLine()
                                try await test.loop.sleep(for: .milliseconds(number))
                            }
                            await connection.close()
                        }
                    }
                }
                await listener.close()
                try await serving.value
                return test.traceHash
            }
        }
        let first = try hash(1)
        for _ in 0..<100 { #expect(try hash(1) == first) }
        let hashes = try Set((0..<20).map { try hash($0) })
        #expect(hashes.count == 20)
    }

    // MARK: How connections end

    @Test func whatWasWrittenArrivesAfterAClose() throws {
        try TestLoop.run { test in
            let (client, server) = TestNetwork(test, conditions: LinkConditions(latency: .milliseconds(5))).pair()
            try await client.write("last words")
            await client.close()
            #expect(try await server.readToEnd() == Array("last words".utf8))
            // For two seconds the other side takes what comes.
            try await server.write("answer")
            try await test.loop.sleep(for: .seconds(3))
            try await server.write("answer")
            try await test.loop.sleep(for: .seconds(1))
            await expectError(.brokenPipe) { try await server.write("answer") }
        }
    }

    @Test func aResetEndsReadsAndWrites() throws {
        try TestLoop.run { test in
            let (client, server) = TestNetwork(test, conditions: LinkConditions(latency: .milliseconds(5), buffer: 10))
                .pair()
            let reader = test.loop.spawn { try await server.read() }
            let writer = test.loop.spawn { try await server.write(Array(repeating: 1, count: 20)) }
            try await test.waitUntilIdle()
            await client.reset()
            await expectError(.connectionReset) { _ = try await reader.value }
            await expectError(.connectionReset) { try await writer.value }
            await expectError(.connectionReset) { _ = try await server.read() }
            await expectError(.brokenPipe) { try await server.write("more") }
            #expect(test.elapsed == .milliseconds(5))
        }
    }

    @Test func resetsByChanceBreakBothSides() throws {
        try TestLoop.run(seed: 1) { test in
            let (client, server) = TestNetwork(test, conditions: LinkConditions(resets: 0.1)).pair()
            await expectError(.connectionReset) {
                while true {
                    try await client.write("something")
                    _ = try await server.read()
                }
            }
            await expectError(.connectionReset) { _ = try await client.read() }
        }
    }

    @Test func aHalfOpenPeerIsSilentForEver() throws {
        try TestLoop.run { test in
            let (client, server) = TestNetwork(test, conditions: LinkConditions(buffer: 100)).pair()
            await client.vanish()
            await expectError(.timedOut) {
                try await withTimeout(.seconds(86_400)) { _ = try await server.read() }
            }
            try await server.write(Array(repeating: 1, count: 100))
            await expectError(.timedOut) {
                try await withTimeout(.seconds(86_400)) { try await server.write([1]) }
            }
        }
    }

    @Test func aPartitionHoldsBytesUpUntilItHeals() throws {
        try TestLoop.run { test in
            let network = TestNetwork(test)
            let (client, server) = network.pair()
            network.partition("10.0.0.1", "10.0.0.2")
            try await client.write("one ")
            try await client.write("two")
            await expectError(.timedOut) { try await withTimeout(.seconds(5)) { _ = try await server.read() } }
            await expectError(.timedOut) { _ = try await network.connect(to: Self.server) }
            #expect(test.elapsed == .seconds(5 + 127))
            network.heal()
            #expect(try await server.read(exactly: 7) == Array("one two".utf8))
        }
    }

    @Test func aConnectionThatIsDroppedOnAnotherThreadIsClosed() async throws {
        try await TestLoop.run(patience: .seconds(60)) { test in
            let network = TestNetwork(test)
            let (client, server) = Self.separatePair(network)
            await Task.detached { client.withLock { $0 = nil } }.value
            let end = try await server.read()
            #expect(end == nil)
            #expect(network.descriptorCount == 1)
        }
    }

    private static func separatePair(_ network: TestNetwork) -> (
        client: Shared<TestConnection?>, server: TestConnection
    ) {
        let pair = network.pair()
        return (Shared(pair.client), pair.server)
    }

    // MARK: Listeners

    @Test func aConnectIsRefusedWhereNobodyListens() throws {
        try TestLoop.run { test in
            let network = TestNetwork(test, conditions: LinkConditions(latency: .milliseconds(10)))
            await expectError(.connectionRefused) { _ = try await network.connect(to: Self.server) }
            #expect(test.elapsed == .milliseconds(20))
            let listener = try network.listen(at: Self.server)
            expectError(.addressInUse) { _ = try network.listen(at: Self.server) }
            await listener.close()
            await expectError(.connectionRefused) { _ = try await network.connect(to: Self.server) }
            #expect(network.descriptorCount == 0)
        }
    }

    @Test func serveEndsWhenTheListenerIsClosedAndAllAreServed() throws {
        try TestLoop.run(seeds: 0..<10) { test in
            let network = TestNetwork(test, conditions: LinkConditions(latency: .milliseconds(1)))
            let listener = try network.listen(at: Self.server)
            let peers = Shared<[String]>([])
            let serving = test.loop.spawn {
                try await listener.serve { connection in
                    peers.withLock { $0.append("\(connection.remoteAddress)") }
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            let client = try await network.connect(to: Self.server, from: "10.0.0.9")
            try await client.write("hello")
            #expect(try await client.read() == Array("hello".utf8))
            await listener.close()
            try await client.write("still here")
            #expect(try await client.read(exactly: 10) == Array("still here".utf8))
            await client.close()
            try await serving.value
            #expect(peers.withLock { $0.count == 1 && $0[0].hasPrefix("10.0.0.9:") })
            #expect(network.descriptorCount == 0, "\(test)")
        }
    }

    @Test func aServerLivesThroughALackOfDescriptors() throws {
        try TestLoop.run(seeds: 0..<10) { test in
            let network = TestNetwork(test)
            let listener = try network.listen(at: Self.server)
            let errors = Shared<[String]>([])
            let serving = test.loop.spawn {
                try await listener.serve { error, peer in
                    errors.withLock {
                        $0.append("\(peer == nil ? "listener" : "client"): \((error as? UVError)?.code as Any)")
                    }
                } _: { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            let first = try await network.connect(to: Self.server)
            try await test.waitUntilIdle()
            // The listener, both sides of the first connection, and the client's of the second.
            network.descriptorLimit = 4
            let second = try await network.connect(to: Self.server)
            try await second.write("second")
            try await test.waitUntilIdle()
            await expectError(.tooManyOpenFiles) { _ = try await network.connect(to: Self.server) }
            await first.close()
            #expect(try await second.read(exactly: 6) == Array("second".utf8))
            await second.close()
            await listener.close()
            try await serving.value
            #expect(errors.withLock { $0.count == 1 && $0[0].hasPrefix("listener: ") }, "\(errors.value)")
            #expect(network.descriptorCount == 0)
        }
    }

    @Test func failuresComeWhenTheTestWantsThem() throws {
        try TestLoop.run { test in
            let network = TestNetwork(test)
            let listener = try network.listen(at: Self.server)
            network.failNext(with: .networkUnreachable)
            await expectError(.networkUnreachable) { _ = try await network.connect(to: Self.server) }
            let client = try await network.connect(to: Self.server)
            network.failNext(2, with: .noMemory)
            await expectError(.noMemory) { _ = try await listener.accept() }
            await expectError(.noMemory) { _ = try await listener.accept() }
            #expect(try await listener.accept() != nil)
            await expectError(.timedOut) { _ = try await listener.accept(timeout: .seconds(9)) }
            #expect(test.elapsed == .seconds(9))
            await client.close()
        }
    }

    // MARK: Datagrams

    @Test func datagramsAreLostDoubledAndReordered() throws {
        try TestLoop.run(seed: 2) { test in
            let network = TestNetwork(
                test,
                conditions: LinkConditions(
                    latency: .milliseconds(10), loss: 0.1, duplication: 0.1, reordering: 0.2))
            let near = try network.bindDatagrams(at: try SocketAddress(host: "10.0.0.1", port: 0))
            let far = try network.bindDatagrams(at: Self.server)
            for number in 0..<200 {
                try await near.send([UInt8(number)], to: Self.server)
                try await test.loop.sleep(for: .milliseconds(1))
            }
            var numbers: [UInt8] = []
            await expectError(.timedOut) {
                while true {
                    let datagram = try await far.receive(timeout: .seconds(1))
                    #expect(datagram.from == near.localAddress)
                    numbers += datagram.bytes
                }
            }
            let distinct = Set(numbers)
            #expect((160..<200).contains(distinct.count))
            #expect((5..<50).contains(numbers.count - distinct.count))
            #expect(numbers != numbers.sorted())
        }
    }

    @Test func datagramsKeepTheirBoundsAndTheirSocketsTheirs() throws {
        try TestLoop.run { test in
            let network = TestNetwork(test)
            let near = try network.bindDatagrams(at: try SocketAddress(host: "10.0.0.1", port: 0))
            let far = try network.bindDatagrams(at: Self.server)
            try await near.send("abcdef", to: Self.server)
            try await near.send([], to: Self.server)
            let first = try await far.receive(upTo: 4)
            #expect(first.bytes == Array("abcd".utf8) && first.isTruncated)
            #expect(try await far.receive().bytes.isEmpty)
            await expectError(.messageTooLong) {
                try await near.send(Array(repeating: 0, count: 65_508), to: Self.server)
            }
            // Nobody is there: nobody says so.
            try await near.send("?", to: try SocketAddress(host: "10.0.0.7", port: 7))
            for _ in 0..<1_000 { try await near.send(Array(repeating: 0, count: 1_000), to: Self.server) }
            try await test.waitUntilIdle()
            try await test.loop.sleep(for: .milliseconds(1))
            #expect(try await far.dropCount > 700)
            let receiver = test.loop.spawn { () async throws in while true { _ = try await far.receive() } }
            try await test.waitUntilIdle()
            await far.close()
            await expectError(.canceled) { try await receiver.value }
            await near.close()
            #expect(network.descriptorCount == 0)
        }
    }
}
