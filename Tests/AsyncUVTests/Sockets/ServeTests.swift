import AsyncUV
import SystemPackage
import TestSupport
import Testing

/// `TCPListener.serve`.
@Suite(.ownThread) struct ServeTests {
    struct Refusal: Error, Equatable {}

    @Test("K2: a handler's error ends its connection only, and reaches onError once with the peer")
    func errorOfAHandler() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let errors = Shared<[(String, SocketAddress?)]>([])
            let serving = loop.spawn {
                try await listener.serve { error, peer in
                    errors.change { $0.append(("\(error)", peer)) }
                } _: { connection in
                    for try await chunk in connection {
                        if chunk == [0] { throw Refusal() }
                        try await connection.write(chunk)
                    }
                }
            }
            let good = try await TCPConnection.connect(to: listener)
            let bad = try await TCPConnection.connect(to: listener)
            try await good.write([1])
            #expect(try await good.read() == [1])
            try await bad.write([0])
            #expect(try await bad.read() == nil, "its connection is closed")
            try await good.write([2])
            #expect(try await good.read() == [2], "the other goes on")
            #expect(errors.value.map(\.0) == ["Refusal()"])
            let badAddress = try await bad.localAddress
            #expect(errors.value.map(\.1) == [badAddress])
            await good.close()
            await listener.close()
            try await serving.value
            #expect(errors.value.count == 1)
        }
    }

    @Test("onError by default: one line with the peer, silence about everyday life, and without a handler")
    func defaultReport() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let peer = try SocketAddress(host: "127.0.0.1", port: 4_711)
            TCPListener.report(ServeTests.Refusal(), peer)  // unheard
            Diagnostics.setHandler(Diagnostics.standardError)
            TCPListener.report(UVError(.tooManyOpenFiles, in: "accept"), nil)
            TCPListener.report(ServeTests.Refusal(), peer)
            TCPListener.report(CancellationError(), peer)
            for code: UVError.Code in [.connectionReset, .brokenPipe, .timedOut, .canceled] {
                TCPListener.report(UVError(code, in: "read"), peer)
            }
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("warning: too many open files (EMFILE) in accept\n"))
        #expect(text.split(separator: "\n").count { $0 == "error: 127.0.0.1:4711: Refusal()" } == 1)
        #expect(!text.contains("Cancel") && !text.contains("ECONNRESET") && !text.contains("EPIPE"))
        #expect(!text.contains("ETIMEDOUT") && !text.contains("ECANCELED"))
    }

    @Test("onError by default: so it is in serve; a lack of descriptors is told once a second at most")
    func defaultReportOfServe() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            Diagnostics.setHandler(Diagnostics.standardError)
            for _ in 0..<1_000 { TCPListener.report(UVError(.tooManyOpenFiles, in: "accept"), nil) }
            try onLoop { loop in
                let listener = try await TCPListener.onLoopback()
                let serving = loop.spawn { try await listener.serve { _ in throw ServeTests.Refusal() } }
                let client = try await TCPConnection.connect(to: listener)
                #expect(try await client.read() == nil)
                await listener.close()
                try await serving.value
            }
        }
        let lines = String(decoding: try #require(result).standardErrorContent, as: UTF8.self).split(separator: "\n")
        #expect((1...10).contains(lines.count { $0.contains("EMFILE") }))
        #expect(lines.count { $0.hasPrefix("error: 127.0.0.1:") && $0.hasSuffix(": Refusal()") } == 1)
    }

    @Test func atMostSoManyConnections() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let gate = Gate()
            let (running, most) = (Shared(0), Shared(0))
            let serving = loop.spawn {
                try await listener.serve(maxConnections: 3) { connection in
                    let now = running.change { running in
                        running += 1
                        return running
                    }
                    most.change { $0 = max($0, now) }
                    await gate.wait()
                    try await connection.write([1])
                    running.change { $0 -= 1 }
                }
            }
            let clients = try await withThrowingTaskGroup(of: TCPConnection.self) { group in
                for _ in 0..<20 { group.addTask { try await TCPConnection.connect(to: listener) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await loop.waitUntilIdle()
            #expect(running.value == 3)
            await gate.open()
            for client in clients { #expect(try await client.readToEnd() == [1]) }
            #expect(most.value == 3 && running.value == 0)
            await listener.close()
            try await serving.value
        }
    }

    @Test("B2: fewer connections than one")
    func noConnections() throws {
        try onLoop { _ in
            let listener = try await TCPListener.onLoopback()
            for count in [0, -1, Int.min] {
                await expectError(.invalidArgument) {
                    try await listener.serve(maxConnections: count) { _ in }
                }
            }
            await listener.close()
        }
    }

    @Test("close: no new connections, those there are served to their end, serve returns")
    func gracefulEnd() throws {
        try onLoop { loop in
            let server = try await EchoServer(on: loop)
            var clients: [TCPConnection] = []
            for _ in 0..<10 { clients.append(try await server.connect()) }
            for client in clients {
                try await client.write([1])
                #expect(try await client.read() == [1])
            }
            await server.listener.close()
            for client in clients {
                try await client.write([2])
                #expect(try await client.read() == [2])
                await client.close()
            }
            try await server.end()
        }
    }

    @Test("close: a client that was accepted ahead, and waits for its turn, is served too")
    func gracefulEndOfAWaitingClient() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn {
                try await listener.serve(maxConnections: 1) { for try await chunk in $0 { try await $0.write(chunk) } }
            }
            let first = try await TCPConnection.connect(to: listener)
            try await first.write([1])
            #expect(try await first.read() == [1])
            let second = try await TCPConnection.connect(to: listener)
            try await second.write([2])
            try await loop.waitUntilIdle()
            await listener.close()
            await first.close()
            #expect(try await second.read() == [2])
            await second.close()
            try await serving.value
        }
    }

    @Test("A listener that is dropped closes those it has accepted ahead")
    func droppedWithAWaitingClient() throws {
        try onLoop { loop in
            var listener: TCPListener? = try await .onLoopback()
            let client = try await TCPConnection.connect(to: try #require(listener))
            try await loop.waitUntilIdle()
            listener = nil
            #expect(try await client.read() == nil)
            await client.close()
        }
    }

    @Test("Cancelling serve cancels all handlers, in reads, writes, sleeps and child tasks, and closes")
    func cancellation() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let ended = Shared<[UInt8: Bool]>([:])
            let serving = loop.spawn {
                try await listener.serve { connection in
                    let kind = try await connection.read(exactly: 1)[0]
                    do {
                        switch kind {
                        case 0: _ = try await connection.read()
                        case 1: try await connection.write([UInt8](repeating: 1, count: 16 << 20))
                        case 2: try await loop.sleep(for: .seconds(1_000))
                        case 3:
                            async let child = connection.read()
                            _ = try await child
                        case 4: _ = try await withTimeout(.seconds(1_000)) { try await connection.read() }
                        case 5: _ = try await connection.read(exactly: 100)
                        case 6: for try await _ in connection.lines() {}
                        default: for try await _ in connection {}
                        }
                    } catch {
                        ended.change { $0[kind] = error is CancellationError }
                        throw error
                    }
                }
            }
            var clients: [TCPConnection] = []
            for kind: UInt8 in 0..<8 {
                let client = try await TCPConnection.connect(to: listener)
                try await client.write([kind])
                clients.append(client)
            }
            try await loop.waitUntilIdle()
            serving.cancel()
            #expect(await failure(of: serving) is CancellationError)
            #expect(ended.value == Dictionary(uniqueKeysWithValues: (0..<8).map { (UInt8($0), true) }))
            for client in clients { _ = try? await client.readToEnd() }
            await listener.close()
        }
    }

    @Test func cancellationWithAllSeatsTaken() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn { try await listener.serve(maxConnections: 1) { _ = try await $0.read() } }
            let client = try await TCPConnection.connect(to: listener)
            try await loop.waitUntilIdle()
            serving.cancel()
            #expect(await failure(of: serving) is CancellationError)
            #expect(try await client.read() == nil)
            let again = loop.spawn { try await listener.serve(maxConnections: 1) { try await $0.write([5]) } }
            let second = try await TCPConnection.connect(to: listener)
            #expect(try await second.readToEnd() == [5], "the listener can be served again")
            await listener.close()
            try await again.value
        }
    }

    @Test func alreadyCancelled() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                try await listener.serve { _ in Issue.record("nothing starts") }
            }
            serving.cancel()
            #expect(await failure(of: serving) is CancellationError)
            await listener.close()
        }
    }

    @Test("The owner's reads and those of other tasks of the handler do not mix")
    func ownerAndOthers() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn {
                try await listener.serve { connection in
                    #expect(try await connection.read(exactly: 1) == [1])
                    let other = loop.spawn { try await connection.read() }
                    try await loop.waitUntilIdle()
                    await expectError(.alreadyInProcess) { try await connection.read() }
                    other.cancel()
                    #expect(await failure(of: other) is CancellationError)
                    try await connection.write([9])
                    #expect(try await connection.read(exactly: 1) == [2])
                    async let child = connection.read(exactly: 1)
                    #expect(try await child == [3])
                    #expect(try await connection.read(exactly: 1) == [4])
                }
            }
            let client = try await TCPConnection.connect(to: listener)
            try await client.write([1])
            #expect(try await client.read() == [9])
            try await client.write([2, 3, 4])
            #expect(try await client.read() == nil)
            await listener.close()
            try await serving.value
        }
    }

    @Test("A connection that a handler gave away is closed with the handler")
    func theConnectionOutlivesItsHandler() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let kept = Shared<TCPConnection?>(nil)
            let serving = loop.spawn { try await listener.serve { kept.value = $0 } }
            let client = try await TCPConnection.connect(to: listener)
            #expect(try await client.read() == nil)
            await expectError(.badFileDescriptor) { try await kept.value?.read() }
            await listener.close()
            try await serving.value
        }
    }

    @Test func serveFromATaskElsewhere() async throws {
        try await withOwnLoop { loop in
            let listener = try await TCPListener.onLoopback(on: loop)
            async let serving: Void = listener.serve { connection in
                #expect(loop.isCurrent, "handlers run on the loop")
                for try await chunk in connection { try await connection.write(chunk) }
            }
            let client = try await TCPConnection.connect(to: listener.localAddress, on: loop)
            try await client.write([4])
            #expect(try await client.read() == [4])
            await client.close()
            await listener.close()
            try await serving
        }
    }

    @Test("Clients that come and reset in a hurry")
    func hurriedClients() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn {
                try await listener.serve { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            for number in 0..<200 {
                let client = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
                if number % 2 == 0 { try client.writeAll([1, 2, 3]) }
                if number % 3 == 0 { try client.close() } else { try client.closeWithReset() }
            }
            let client = try await TCPConnection.connect(to: listener)
            try await client.write([1])
            #expect(try await client.read() == [1])
            await client.close()
            await listener.close()
            try await serving.value
        }
    }
}
