import AsyncUV
import SystemPackage
import TestSupport
import Testing
import UV

/// `EventLoop.run`, `init`, `shared`, `current`, `withLoop`.
@Suite(.ownThread) struct EventLoopTests {
    struct Refusal: Error, Equatable { let number: Int }

    @Test func runReturnsTheValueOfItsBody() throws {
        let value = try EventLoop.run { loop in
            try await loop.sleep(for: .milliseconds(1))
            return "value"
        }
        #expect(value == "value")
    }

    @Test("K2: the error of run's body comes out of run, once")
    func runThrowsTheErrorOfItsBody() throws {
        let calls = Shared(0)
        #expect(throws: Refusal(number: 7)) {
            try EventLoop.run { loop in
                calls.value += 1
                try await loop.sleep(for: .milliseconds(1))
                throw Refusal(number: 7)
            }
        }
        #expect(calls.value == 1)
        #expect(try EventLoop.run { _ in 1 } == 1, "the thread can run another loop")
    }

    @Test func errorsOfSpawnedTasksReachTheirClosure() throws {
        let seen = Shared<[String]>([])
        try EventLoop.run { loop in
            let failing = loop.spawn(onError: { seen.value.append("\($0), \(loop.isCurrent)") }) {
                throw Refusal(number: 3)
            }
            await failing.value
            let cancelled = loop.spawn(onError: { seen.value.append("\($0 is CancellationError)") }) {
                try await loop.sleep(for: .seconds(1_000))
            }
            cancelled.cancel()
            await cancelled.value
        }
        #expect(seen.value == ["Refusal(number: 3), true", "true"])
    }

    @Test("K2: the error of a task group's child reaches run; its siblings are cancelled and closed")
    func errorOfAChild() throws {
        let siblings = Shared(0)
        #expect(throws: Refusal(number: 1)) {
            try onLoop { loop in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<10 {
                        group.addTask {
                            do { try await loop.sleep(for: .seconds(1_000)) } catch is CancellationError {
                                siblings.change { $0 += 1 }
                            }
                        }
                    }
                    group.addTask {
                        try await loop.waitUntilIdle()
                        throw Refusal(number: 1)
                    }
                    for try await _ in group {}
                }
            }
        }
        #expect(siblings.value == 10)
    }

    @Test func runWithoutASuspensionReturns() throws {
        #expect(try EventLoop.run { _ in 5 } == 5)
    }

    @Test func theBodyRunsOnTheCallingThread() throws {
        let caller = currentThreadNumber()
        try EventLoop.run { loop in
            #expect(currentThreadNumber() == caller)
            try await loop.sleep(for: .milliseconds(1))
            #expect(currentThreadNumber() == caller)
        }
    }

    @Test func currentIsTheLoopInItsTasksAndNilElsewhere() throws {
        #expect(EventLoop.current == nil)
        try EventLoop.run { loop in
            #expect(EventLoop.current === loop && loop.isCurrent)
            try await loop.spawn { #expect(EventLoop.current === loop) }.value
            await Task.detached {
                #expect(EventLoop.current == nil)
                #expect(!loop.isCurrent)
            }.value
            #expect(EventLoop.current === loop)
        }
        #expect(EventLoop.current == nil)
    }

    @Test("K4: run inside a loop stops the process with a sentence")
    func nestedRunTraps() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await EventLoop().withLoop { _ in runAnother() }
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("EventLoop.run called inside a loop: a loop cannot wait for another"))
    }

    @Test func manyLoopsOnOneThreadOneAfterTheOther() throws {
        for number in 0..<50 {
            let value = try onLoop { loop in
                let (near, far) = try await connectedPair()
                try await near.write([UInt8(number)])
                return try await far.read()
            }
            #expect(value == [UInt8(number)])
        }
    }

    @Test func sharedIsOneLoopForAll() async throws {
        let numbers = try await withThrowingTaskGroup(of: UInt.self) { group in
            for _ in 0..<20 { group.addTask { try await EventLoop.shared.withLoop { _ in currentThreadNumber() } } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(numbers.count == 1)
        await EventLoop.shared.shutdown()
        try await EventLoop.shared.sleep(for: .milliseconds(1))
    }

    @Test func sharedIsTheDefaultForTasksElsewhere() async throws {
        try await Task.detached {
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            #expect(listener.loop === EventLoop.shared)
            let connection = try await TCPConnection.connect(to: listener)
            #expect(connection.loop === EventLoop.shared)
            await connection.close()
            await listener.close()
        }.value
    }

    @Test func withLoopRunsOnTheLoopAndReturnsValuesAndErrors() async throws {
        try await withOwnLoop { loop in
            let (number, isCurrent) = try await loop.withLoop { _ in (currentThreadNumber(), loop.isCurrent) }
            #expect(isCurrent && number != currentThreadNumber())
            await #expect(throws: Refusal(number: 3)) { try await loop.withLoop { _ in throw Refusal(number: 3) } }
            let fired = Shared(0)
            try await loop.withLoop { loop in
                let timer = try TimerHandle(on: loop)
                try timer.start(after: .milliseconds(1)) { timer in
                    fired.value += 1
                    timer.close()
                }
            }
            try await loop.sleep(for: .milliseconds(5))
            #expect(fired.value == 1, "callback-layer handles and tasks live on one loop")
        }
    }

    @Test func withLoopWorksInACancelledTask() throws {
        try EventLoop.run { loop in
            let task = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                return try await loop.withLoop { _ in 9 }
            }
            task.cancel()
            let value = try await task.value
            #expect(value == 9)
        }
    }

    @Test("What the body left open is closed when run returns: peers see it, operations say so")
    func runClosesWhatIsLeft() async throws {
        let (connection, peer) = try await onThread {
            try EventLoop.run { _ in
                let listener = try await TCPListener.onLoopback()
                let peer = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
                return (try #require(try await listener.accept()), (listener, peer))
            }
        }
        #expect(try peer.1.readToEnd() == [])
        await expectRefused(peer.0.localAddress)
        #expect(code(of: await failure(of: Task { try await connection.write([1]) })) == .canceled)
        #expect(code(of: await failure(of: Task { try await peer.0.accept() })) == .canceled)
        try peer.1.close()
    }

    @Test func tasksThatTheBodyLeftWaitingGetCanceled() async throws {
        let task = try await onThread {
            try EventLoop.run { loop in
                let task = loop.spawn { try await loop.sleep(for: .seconds(1_000)) }
                try await loop.waitUntilIdle()
                return task
            }
        }
        #expect(code(of: await failure(of: task)) == .canceled)
    }

    @Test func labels() async throws {
        let loop = try EventLoop(label: "downloads")
        #expect(loop.label == "downloads" && "\(loop)" == "EventLoop \"downloads\"")
        await loop.shutdown()
        let (named, unnamed) = try await onThread {
            (try EventLoop.run(label: "main") { "\($0)" }, try EventLoop.run { "\($0)" })
        }
        #expect(named == "EventLoop \"main\"" && unnamed == "EventLoop")
        #expect("\(EventLoop.shared)" == "EventLoop \"shared\"")
        let group = try await EventLoopGroup(count: 2, label: "web")
        #expect(group.loops.map(\.label) == ["web 1", "web 2"])
        await group.shutdown()
    }
}

private func runAnother() { _ = try? EventLoop.run { _ in } }
