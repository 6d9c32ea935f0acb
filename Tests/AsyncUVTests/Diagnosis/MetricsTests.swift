import AsyncUV
import Dispatch
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct MetricsTests {
    @Test func bytesAndConnectionsAgreeWithWhatWasDone() throws {
        try onLoop { loop in
            let before = loop.metrics
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn {
                try await listener.serve { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            var clients: [TCPConnection] = []
            for number in 1...5 {
                let client = try await TCPConnection.connect(to: listener)
                try await client.write([UInt8](repeating: 7, count: 100 * number))
                #expect(try await client.read(exactly: 100 * number).count == 100 * number)
                clients.append(client)
            }
            let during = loop.metrics
            // 1,500 bytes there and back, each sent and received on this loop.
            #expect(
                during.bytesSent - before.bytesSent == 3_000 && during.bytesReceived - before.bytesReceived == 3_000)
            #expect(during.connections - before.connections == 10)
            #expect(during.acceptedConnections - before.acceptedConnections == 5)
            #expect(during.openedConnections - before.openedConnections == 5)
            #expect(during.jobs > before.jobs)
            for client in clients { await client.close() }
            await listener.close()
            try await serving.value
            #expect(loop.metrics.connections == before.connections)
            #expect(loop.metrics.bytesSent == during.bytesSent)
        }
    }

    @Test func bytesThatHadToWaitAreCountedWhenTheyHaveLeft() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let before = loop.metrics
            let size = 8 << 20
            async let sending: Void = near.write([UInt8](repeating: 1, count: size))
            var received = 0
            while received < size, let chunk = try await far.read() { received += chunk.count }
            try await sending
            let after = loop.metrics
            #expect(after.bytesSent - before.bytesSent == size && after.bytesReceived - before.bytesReceived == size)
            await near.close()
            await far.close()
        }
    }

    @Test func localSocketsAndDatagramsCountToo() throws {
        try onLoop { loop in
            let before = loop.metrics
            let listener = try await LocalListener.bind(to: LocalAddress(abstract: "metrics-\(UUID())"))
            let near = try await LocalConnection.connect(to: listener.localAddress)
            let far = try #require(try await listener.accept())
            try await near.write([1, 2, 3])
            #expect(try await far.read(exactly: 3) == [1, 2, 3])
            let between = loop.metrics
            #expect(between.bytesSent - before.bytesSent == 3 && between.bytesReceived - before.bytesReceived == 3)
            #expect(between.connections - before.connections == 2)
            for connection in [near, far] { await connection.close() }
            await listener.close()
            let socket = try await UDPSocket.bind(host: "127.0.0.1", port: 0)
            for count in 1...4 { try await socket.send([UInt8](repeating: 0, count: count), to: socket.localAddress) }
            for _ in 1...4 { _ = try await socket.receive() }
            let after = loop.metrics
            #expect(after.bytesSent - between.bytesSent == 10 && after.bytesReceived - between.bytesReceived == 10)
            await socket.close()
        }
    }

    @Test func timersAreThoseThatWait() throws {
        try onLoop { loop in
            #expect(loop.metrics.timers == 0)
            let sleeps = (1...7).map { _ in loop.spawn { try await loop.sleep(for: .seconds(600)) } }
            try await loop.waitUntilIdle(waits: 7)
            #expect(loop.metrics.timers == 7)
            for sleep in sleeps { sleep.cancel() }
            for sleep in sleeps { _ = await sleep.result }
            try await loop.sleep(for: .milliseconds(1))
            #expect(loop.metrics.timers == 0)
        }
    }

    @Test func operationsThatAreGivenUpAreCounted() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let before = loop.metrics.abandonedOperations
            await expectError(.timedOut) { try await near.read(timeout: .milliseconds(1)) }
            let listener = try await TCPListener.onLoopback()
            await expectError(.timedOut) { try await listener.accept(timeout: .milliseconds(1)) }
            let cancelled = loop.spawn { try await far.read() }
            try await loop.waitUntilIdle()
            cancelled.cancel()
            _ = await cancelled.result
            #expect(loop.metrics.abandonedOperations - before == 3)
            await listener.close()
            await near.close()
            await far.close()
        }
    }

    @Test("A listener that nobody asks accepts 32 ahead and pauses")
    func acceptPauses() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            var clients: [TCPConnection] = []
            for _ in 0..<40 { clients.append(try await TCPConnection.connect(to: listener)) }
            while loop.metrics.acceptPauses == 0 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(loop.metrics.acceptPauses == 1 && loop.metrics.acceptedConnections == 32)
            for _ in 0..<40 { await (try #require(try await listener.accept())).close() }
            #expect(loop.metrics.acceptedConnections == 40)
            for client in clients { await client.close() }
            await listener.close()
        }
    }

    @Test func lackOfDescriptorsIsCounted() async throws {
        await #expect(processExitsWith: .success) {
            await letDispatchOpenItsDescriptors()
            try onLoop { loop in
                let listener = try await TCPListener.onLoopback()
                // Before the loop sees the client.
                let client = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
                forbidDescriptors()
                while loop.metrics.acceptFailures == 0 { try await loop.sleep(for: .milliseconds(1)) }
                limitDescriptors(to: 256)
                await expectError(.tooManyOpenFiles) { try await listener.accept() }
                while loop.metrics.acceptedConnections == 0 { try await loop.sleep(for: .milliseconds(1)) }
                await (try #require(try await listener.accept())).close()
                try client.close()
                await listener.close()
            }
        }
    }

    @Test("The metrics of a loop that is stuck: they tell")
    func stuck() async throws {
        let loop = try EventLoop(label: "stuck")
        let (blocked, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let blocking = loop.spawn { () -> Void in block(blocked, go) }
        await onPlainThread { blocked.wait() }
        let waiting = (0..<3).map { _ in loop.spawn { () -> Void in } }
        #expect(loop.metrics.waitingForeignJobs == 3)
        go.signal()
        _ = await blocking.result
        for task in waiting { _ = await task.result }
        #expect(loop.metrics.waitingForeignJobs == 0 && loop.metrics.foreignJobs >= 4 && loop.metrics.wakeUps >= 1)
        await loop.shutdown()
    }

    @Test func aLoopThatHasEndedStillTells() async throws {
        let loop = try EventLoop()
        try await loop.spawn {
            let (near, far) = try await connectedPair(on: loop)
            try await near.write([1])
            #expect(try await far.read() == [1])
            loop.spawn(onError: { _ in }) { try await loop.sleep(for: .seconds(600)) }
            loop.spawn(onError: { _ in }) { _ = try await far.read(timeout: .seconds(600)) }
            try await loop.waitUntilIdle()
        }.value
        await loop.shutdown()
        let metrics = loop.metrics
        #expect(metrics.bytesSent == 1 && metrics.bytesReceived == 1 && metrics.jobs > 0)
        #expect(metrics.connections == 0 && metrics.timers == 0)
    }

    // MARK: Lag

    @Test func lagIsWhatTheTurnsTook() throws {
        try onLoop { loop in
            #expect(loop.metrics.lag == nil && loop.metrics.idleTime == .zero)
            let start = Loop.hrtime
            try await loop.measureLag()
            try await loop.measureLag()
            for _ in 0..<3 { try await loop.sleep(for: .milliseconds(5)) }
            let before = try #require(loop.metrics.lag)
            let end = Loop.hrtime + .milliseconds(40)
            while Loop.hrtime < end {}
            for _ in 0..<2 { try await loop.sleep(for: .milliseconds(5)) }
            // A busy machine may keep the thread until a sleep is over: then the loop does not wait.
            while loop.metrics.idleTime < .milliseconds(15) { try await loop.sleep(for: .milliseconds(5)) }
            let metrics = loop.metrics
            let lag = try #require(metrics.lag).since(before)
            #expect(lag.longest >= .milliseconds(40) && lag.total >= .milliseconds(40))
            #expect(lag.count(upTo: .milliseconds(38)) < lag.count)
            #expect(metrics.lag?.count == metrics.turns && metrics.turns > 3)
            #expect(metrics.idleTime <= Loop.hrtime - start)
        }
    }

    @Test func lagOfAnEndedLoop() async throws {
        let loop = try EventLoop()
        try await loop.measureLag()
        try await loop.sleep(for: .milliseconds(1))
        await loop.shutdown()
        #expect(loop.metrics.lag != nil)
        await expectError(.canceled) { try await loop.measureLag() }
    }

    // MARK: Threads

    @Test("Bodies and requests that go on although nobody waits, until they end")
    func abandoned() async throws {
        await #expect(processExitsWith: .success) {
            let loop = try EventLoop()
            let (begun, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let body = Task { try await loop.offload { block(begun, go) } }
            await onPlainThread { begun.wait() }
            #expect(EventLoop.abandonedCalls == 0)
            body.cancel()
            _ = await body.result
            #expect(EventLoop.abandonedCalls == 1)
            go.signal()
            while EventLoop.abandonedCalls > 0 { try await loop.sleep(for: .milliseconds(1)) }
            await loop.shutdown()
            try synchronously {
                let loop = try Loop()
                let request = try WorkRequest.run(on: loop) {
                    block(begun, go)
                } onDone: { _, _ in
                }
                begun.wait()
                #expect(ThreadPool.statistics.abandoned == 0)
                try? request.cancel()
                try? request.cancel()
                #expect(ThreadPool.statistics.abandoned == 1)
                go.signal()
                try loop.run()
                try loop.close()
                #expect(ThreadPool.statistics.abandoned == 0 && ThreadPool.statistics.running == 0)
            }
        }
    }
}

private func block(_ begun: DispatchSemaphore, _ go: DispatchSemaphore) {
    begun.signal()
    go.wait()
}

private func onPlainThread(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread {
            body()
            continuation.resume()
        }
    }
}
