import AsyncUV
import SystemPackage
import TestSupport
import Testing

/// Several loops.
@Suite(.inTurn) struct EventLoopGroupTests {
    private func withGroup(_ count: Int, _ body: (EventLoopGroup) async throws -> Void) async throws {
        let group = try await EventLoopGroup(count: count)
        do { try await body(group) } catch {
            await group.shutdown()
            throw error
        }
        await group.shutdown()
    }

    /// With a loop that is not of the group.
    private func withElsewhere(_ body: (EventLoop) async throws -> Void) async throws {
        try await withGroup(1) { try await body($0.loops[0]) }
    }

    /// Greets, and waits for the peer's end.
    private func serveUntilEnd(_ listeners: [TCPListener]) async throws {
        try await EventLoopGroup.serve(listeners) { connection in
            try await connection.write([1])
            _ = try await connection.read()
        }
    }

    @Test func countAndTurn() async throws {
        try await withGroup(3) { group in
            #expect(group.loops.count == 3)
            let turns = (0..<9).map { _ in group.next() }
            for (index, loop) in turns.enumerated() { #expect(loop === group.loops[index % 3]) }
            let threads = try await withThrowingTaskGroup(of: UInt.self) { tasks in
                for loop in group.loops { tasks.addTask { try await loop.withLoop { _ in currentThreadNumber() } } }
                return try await tasks.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(threads.count == 3)
        }
    }

    @Test func defaultCount() async throws {
        let group = try await EventLoopGroup()
        #expect(group.loops.count == Processors.granted && Processors.granted >= 1)
        await group.shutdown()
    }

    @Test("B2: counts below one")
    func badCounts() async throws {
        for count in [0, -1, Int.min] {
            await expectError(.invalidArgument) { try await EventLoopGroup(count: count) }
        }
    }

    @Test("Too few descriptors: a typed error, no loop is left; no other loop was started for it")
    func outOfDescriptors() async throws {
        await #expect(processExitsWith: .success) {
            // libuv's own, for the whole process.
            try await onThread { try Loop().close() }
            let before = await countLastingDescriptors()
            limitDescriptors(to: lowestFreeDescriptor() + 20)
            do {
                _ = try await EventLoopGroup(count: 20)
                fatalError("there were enough")
            } catch { if code(of: error) != .tooManyOpenFiles { fatalError("\(error)") } }
            limitDescriptors(to: 1_000)
            // The thread of the last one lets go of what it has by and by.
            while countDescriptors() > before { await Task.yield() }
            let group = try await EventLoopGroup(count: 20)
            await group.shutdown()
        }
    }

    @Test("next() from many threads is even")
    func nextFromManyThreads() async throws {
        try await withGroup(4) { group in
            let counts = await withTaskGroup(of: [ObjectIdentifier].self) { tasks -> [ObjectIdentifier: Int] in
                for _ in 0..<8 { tasks.addTask { (0..<100).map { _ in ObjectIdentifier(group.next()) } } }
                var counts: [ObjectIdentifier: Int] = [:]
                for await turns in tasks { for turn in turns { counts[turn, default: 0] += 1 } }
                return counts
            }
            #expect(Array(counts.values) == [200, 200, 200, 200])
        }
    }

    @Test("Listeners with SO_REUSEPORT: the kernel spreads connections, each stays on its loop")
    func servingSpreads() async throws {
        try await withGroup(2) { group in
            let listeners = try await group.bind(host: "127.0.0.1", port: 0)
            let port = listeners[0].localAddress.port
            #expect(listeners.allSatisfy { $0.localAddress.port == port } && listeners.count == 2)
            let homes = Shared<[ObjectIdentifier: Int]>([:])
            let serving = Task {
                try await EventLoopGroup.serve(listeners) { connection in
                    homes.change { $0[ObjectIdentifier(connection.loop), default: 0] += 1 }
                    for try await chunk in connection {
                        #expect(connection.loop.isCurrent)
                        try await connection.write(chunk)
                        #expect(connection.loop.isCurrent)
                    }
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { clients in
                for number in 0..<64 {
                    clients.addTask {
                        let client = try await TCPConnection.connect(host: "127.0.0.1", port: port, on: group.loops[0])
                        for _ in 0..<10 {
                            try await client.write([UInt8(number)])
                            #expect(try await client.read(exactly: 1) == [UInt8(number)])
                        }
                    }
                }
                try await clients.waitForAll()
            }
            #expect(homes.value.count == 2 && homes.value.values.reduce(0, +) == 64)
            for listener in listeners { await listener.close() }
            try await serving.value
        }
    }

    @Test("Each listener serves at most so many; who waits comes next")
    func atMostSoManyConnections() async throws {
        try await withGroup(2) { group in
            let listeners = try await group.bind(host: "127.0.0.1", port: 0)
            let running = Shared<[ObjectIdentifier: Int]>([:])
            let most = Shared<[ObjectIdentifier: Int]>([:])
            let gate = Gate()
            let serving = Task {
                try await EventLoopGroup.serve(listeners, maxConnections: 2) { connection in
                    let loop = ObjectIdentifier(connection.loop)
                    let now = running.change { running in
                        running[loop, default: 0] += 1
                        return running[loop]!
                    }
                    most.change { $0[loop] = max($0[loop] ?? 0, now) }
                    await gate.wait()
                    try await connection.write([1])
                    running.change { $0[loop]! -= 1 }
                }
            }
            // So many that the kernel gives more than two to each.
            let clients = try await withThrowingTaskGroup(of: TCPConnection.self) { tasks in
                for _ in 0..<64 {
                    tasks.addTask { try await .connect(to: listeners[0].localAddress, on: group.loops[0]) }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            while running.value.values.reduce(0, +) < 4 { try await group.loops[0].sleep(for: .milliseconds(1)) }
            for loop in group.loops { try await loop.sleep(for: .milliseconds(5)) }
            #expect(Array(running.value.values) == [2, 2])
            await gate.open()
            for client in clients { #expect(try await client.readToEnd() == [1]) }
            #expect(Array(most.value.values) == [2, 2])
            for listener in listeners { await listener.close() }
            try await serving.value
        }
    }

    @Test("B2: fewer connections than one")
    func noConnections() async throws {
        try await withGroup(2) { group in
            let listeners = try await group.bind(host: "127.0.0.1", port: 0)
            await expectError(.invalidArgument) {
                try await EventLoopGroup.serve(listeners, maxConnections: 0) { _ in }
            }
            for listener in listeners { await listener.close() }
        }
    }

    @Test func cancelledServing() async throws {
        try await withGroup(2) { group in
            let listeners = try await group.bind(host: "127.0.0.1", port: 0)
            let serving = Task { try await EventLoopGroup.serve(listeners) { _ = try await $0.read() } }
            let client = try await TCPConnection.connect(to: listeners[0].localAddress, on: group.loops[1])
            serving.cancel()
            #expect(await failure(of: serving) is CancellationError)
            for listener in listeners { await listener.close() }
            _ = try? await client.read()
        }
    }

    @Test("Closed listeners let their connections end: then serve returns, and nobody was cut off")
    func gracefulEnd() async throws {
        try await withGroup(2) { group in
            let listeners = try await group.bind(host: "127.0.0.1", port: 0)
            let serving = Task {
                try await EventLoopGroup.serve(listeners) { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            var clients: [TCPConnection] = []
            for number in 0..<16 {
                let client = try await TCPConnection.connect(to: listeners[0].localAddress, on: group.next())
                try await client.write([UInt8(number)])
                #expect(try await client.read() == [UInt8(number)])
                clients.append(client)
            }
            for listener in listeners { await listener.close() }
            for client in clients {
                try await client.write([100])
                #expect(try await client.read() == [100])
                try await client.finishWriting()
                #expect(try await client.read() == nil)
            }
            try await serving.value
        }
    }

    @Test("A shutdown with a grace: nobody new comes, who is connected is served to the end")
    func shutdownWithGrace() async throws {
        let group = try await EventLoopGroup(count: 2)
        let listeners = try await group.bind(host: "127.0.0.1", port: 0)
        let serving = Task {
            try await EventLoopGroup.serve(listeners) { connection in
                for try await chunk in connection { try await connection.write(chunk) }
            }
        }
        try await withElsewhere { elsewhere in
            var clients: [TCPConnection] = []
            for number in 0..<16 {
                let client = try await TCPConnection.connect(to: listeners[0].localAddress, on: elsewhere)
                try await client.write([UInt8(number)])
                #expect(try await client.read() == [UInt8(number)])
                clients.append(client)
            }
            async let ending: Void = group.shutdown(grace: .seconds(Int64.max))
            await expectRefused(listeners[0].localAddress)
            for client in clients {
                try await client.write([100])
                #expect(try await client.read() == [100])
                await client.close()
            }
            await ending
        }
        try await serving.value
        for loop in group.loops { await expectError(.canceled) { try await loop.withLoop { _ in } } }
    }

    @Test("A shutdown with a grace: who stays longer is cut off")
    func shutdownAfterGrace() async throws {
        let group = try await EventLoopGroup(count: 2)
        let listeners = try await group.bind(host: "127.0.0.1", port: 0)
        let serving = Task { try await serveUntilEnd(listeners) }
        try await withElsewhere { elsewhere in
            let client = try await TCPConnection.connect(to: listeners[0].localAddress, on: elsewhere)
            #expect(try await client.read() == [1])
            let start = ContinuousClock.now
            await group.shutdown(grace: .milliseconds(50))
            #expect(ContinuousClock.now - start >= .milliseconds(50))
            #expect(try await client.read() == nil)
            await client.close()
        }
        _ = await serving.result
    }

    @Test("A shutdown with a grace that is cancelled, or overtaken by one without, goes on without it")
    func shutdownWithGraceCutShort() async throws {
        for isCancelled in [true, false] {
            let group = try await EventLoopGroup(count: 1)
            let listeners = try await group.bind(host: "127.0.0.1", port: 0)
            let serving = Task { try await serveUntilEnd(listeners) }
            try await withElsewhere { elsewhere in
                let client = try await TCPConnection.connect(to: listeners[0].localAddress, on: elsewhere)
                #expect(try await client.read() == [1])
                let ending = Task { await group.shutdown(grace: .seconds(3_600)) }
                if isCancelled { ending.cancel() } else { await group.shutdown() }
                await ending.value
                #expect(try await client.read() == nil)
                await client.close()
            }
            _ = await serving.result
        }
    }

    @Test("A shutdown with a grace of a loop without servers, or with listeners that nobody serves, is one without")
    func shutdownWithGraceOfNobody() async throws {
        let group = try await EventLoopGroup(count: 2)
        let listener = try await TCPListener.onLoopback(on: group.loops[0])
        let accepting = Task { try await listener.accept() }
        await group.shutdown(grace: .seconds(3_600))
        await group.shutdown(grace: .seconds(3_600))
        let end = await accepting.result
        // It has come before the listener was closed, or after the loop had ended.
        if case .failure(let error) = end {
            #expect(code(of: error) == .canceled)
        } else {
            #expect(try end.get() == nil)
        }
    }

    @Test("K1: shut down while serving, twice")
    func shutdownWhileServing() async throws {
        let group = try await EventLoopGroup(count: 2)
        let listeners = try await group.bind(host: "127.0.0.1", port: 0)
        let serving = Task { try await serveUntilEnd(listeners) }
        let client = try FileDescriptor.tcpConnection(toPort: listeners[0].localAddress.port)
        #expect(try await onThread { try client.read(upTo: 1) } == [1])
        await group.shutdown()
        await group.shutdown()
        #expect(code(of: await failure(of: serving)) == .canceled)
        _ = try? client.readToEnd()
        try client.close()
    }

    @Test("A family of addresses, of all listeners")
    func family() async throws {
        try await withGroup(2) { group in
            let listeners = try await group.bind(host: "localhost", port: 0, family: .ipv4)
            #expect(listeners.count == 2 && listeners.allSatisfy { $0.localAddress.family == .ipv4 })
            for listener in listeners { await listener.close() }
            await expectError(.addressFamilyNotSupported) {
                try await group.bind(host: "127.0.0.1", port: 0, family: .ipv6)
            }
        }
    }

    @Test func addressInUse() async throws {
        try await withGroup(2) { group in
            let taken = try await TCPListener.onLoopback(on: group.loops[0])
            await expectError(.addressInUse) {
                try await group.bind(host: "127.0.0.1", port: taken.localAddress.port)
            }
        }
    }
}
