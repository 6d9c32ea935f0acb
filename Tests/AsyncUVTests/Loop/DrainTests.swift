import AsyncUV
import TestSupport
import Testing

/// Servers that end: reads that are `untilDraining`.
@Suite(.ownThread) struct DrainTests {
    /// Serves lines: sends each back, until the client has finished or the server drains.
    @Sendable private static func echoLines(_ connection: TCPConnection) async throws {
        while let line = try await connection.readLine(untilDraining: true) {
            try await connection.write("\(line)\n")
        }
    }

    /// The ways to read a line that heed draining.
    enum Reader: CaseIterable {
        case text, bytes, delimiter, lent

        func echoLines(_ connection: TCPConnection) async throws {
            while let line = try await next(from: connection) { try await connection.write(line) }
        }

        private func next(from connection: TCPConnection) async throws -> [UInt8]? {
            switch self {
            case .text: try await connection.readLine(untilDraining: true).map { Array("\($0)\n".utf8) }
            case .bytes: try await connection.readLineBytes(untilDraining: true).map { $0 + [10] }
            case .delimiter: try await connection.readUntil(10, untilDraining: true)
            case .lent:
                // No bytes if the line is not there as a whole.
                try await connection.withBytes(untilDraining: true) { bytes in
                    let bytes = (0..<bytes.count).map { bytes[$0] }
                    let line = bytes.firstIndex(of: 10).map { Array(bytes[...$0]) } ?? []
                    return (used: line.count, value: line)
                }
            }
        }
    }

    @Test(
        "A client that waits does not hold up the end of its listener; it finds the end of the stream",
        arguments: Reader.allCases)
    func idleClient(_ reader: Reader) throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn { try await listener.serve { try await reader.echoLines($0) } }
            var clients: [TCPConnection] = []
            for number in 0..<20 {
                let client = try await TCPConnection.connect(to: listener)
                try await client.write("\(number)\n")
                #expect(try await client.readLine() == "\(number)")
                clients.append(client)
            }
            try await loop.waitUntilIdle()
            await listener.close()
            for client in clients {
                #expect(try await client.read() == nil)
                await client.close()
            }
            try await serving.value
        }
    }

    @Test("shutdown(grace:) does not wait for a client that waits for nothing, in serve or accepted by hand")
    func shutdown() async throws {
        let loop = try EventLoop()
        let listener = try await TCPListener.onLoopback(on: loop)
        let byHand = try await TCPListener.onLoopback(on: loop)
        let serving = loop.spawn { try await listener.serve(Self.echoLines) }
        try await onOtherLoop { _ in
            let client = try await TCPConnection.connect(to: listener)
            try await client.write("a\n")
            #expect(try await client.readLine() == "a")
            let other = try await TCPConnection.connect(to: byHand)
            let accepted = try #require(try await byHand.accept())
            let reading = loop.spawn { try await accepted.read(untilDraining: true) }
            try await loop.waitUntilIdle()
            async let ending: Void = loop.shutdown(grace: .seconds(1_000))
            #expect(try await client.read() == nil)
            #expect(try await reading.value == nil)
            await client.close()
            await other.close()
            await ending
        }
        try await serving.value
    }

    private func onOtherLoop(_ body: @escaping @Sendable (EventLoop) async throws -> Void) async throws {
        try await withOwnLoop { loop in try await loop.spawn { try await body(loop) }.value }
    }

    @Test(
        "What has come is served first: a request that is under way, one that the system has, bytes given back",
        arguments: Reader.allCases)
    func served(_ reader: Reader) throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn { try await listener.serve { try await reader.echoLines($0) } }
            let slow = try await TCPConnection.connect(to: listener)
            let quick = try await TCPConnection.connect(to: listener)
            let idle = try await TCPConnection.connect(to: listener)
            for client in [slow, quick, idle] {
                try await client.write("x\n")
                #expect(try await client.readLine() == "x")
            }
            try await slow.write("a\nb\nhel")
            #expect(try await slow.readLine() == "a")
            #expect(try await slow.readLine() == "b")
            try await loop.waitUntilIdle()
            // In one turn: the server has not seen it when it drains.
            try await quick.write("c\nd\n")
            await listener.close()
            #expect(try await idle.read() == nil)
            #expect(try await quick.readLine() == "c")
            #expect(try await quick.readLine() == "d")
            #expect(try await quick.read() == nil)
            await quick.close()
            try await loop.waitUntilIdle()
            try await slow.write("lo\n")
            #expect(try await slow.readLine() == "hello")
            #expect(try await slow.read() == nil)
            for client in [slow, idle] { await client.close() }
            try await serving.value
        }
    }

    @Test("A listener that drains leaves the connections of others alone")
    func others() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let reading = loop.spawn { try await near.read(untilDraining: true) }
            let steady = try await TCPListener.onLoopback()
            let steadyServing = loop.spawn { try await steady.serve(Self.echoLines) }
            let client = try await TCPConnection.connect(to: steady)
            let states = Shared<[Bool]>([])
            // Their numbers are used again.
            for _ in 0..<5 {
                let listener = try await TCPListener.onLoopback()
                let serving = loop.spawn {
                    try await listener.serve { connection in
                        let before = try await connection.isDraining
                        _ = try await connection.read(untilDraining: true)
                        let after = try await connection.isDraining
                        #expect(try await connection.read(untilDraining: true) == nil, "the end stays")
                        states.change { $0 += [before, after] }
                    }
                }
                let passing = try await TCPConnection.connect(to: listener)
                try await loop.waitUntilIdle()
                await listener.close()
                await listener.close()
                #expect(try await passing.read() == nil)
                await passing.close()
                try await serving.value
            }
            #expect(states.value == Array(repeating: [false, true], count: 5).flatMap { $0 })
            try await client.write("still here\n")
            #expect(try await client.readLine() == "still here")
            #expect(try await !client.isDraining)
            try await far.write([1])
            #expect(try await reading.value == [1])
            await client.close()
            await steady.close()
            try await steadyServing.value
        }
    }

    @Test("Reads that are not at a boundary, and writes, go on while a server drains")
    func theRest() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn {
                try await listener.serve { connection in
                    #expect(try await connection.read(untilDraining: true) == [1])
                    #expect(try await connection.read(exactly: 2) == [2, 3])
                    try await connection.write([4])
                    #expect(try await connection.read(timeout: .seconds(1_000), untilDraining: true) == nil)
                }
            }
            let client = try await TCPConnection.connect(to: listener)
            try await client.write([1])
            try await loop.waitUntilIdle()
            await listener.close()
            try await client.write([2])
            try await loop.waitUntilIdle()
            try await client.write([3])
            #expect(try await client.read() == [4])
            #expect(try await client.read() == nil)
            await client.close()
            try await serving.value
        }
    }
}
