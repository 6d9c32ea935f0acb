import AsyncUV
import Dispatch
import TestSupport
import Testing
import UVTesting

@Suite struct TestLoopTests {
    // MARK: Time

    @Test func anHourGoesByAtOnceAndExactly() throws {
        let start = ContinuousClock.now
        try TestLoop.run { test in
            #expect(test.elapsed == .zero)
            try await test.loop.sleep(for: .seconds(3_600))
            #expect(test.elapsed == .seconds(3_600))
            try await test.loop.sleep(for: .microseconds(1), tolerance: .zero)
            #expect(test.elapsed == .seconds(3_600) + .microseconds(1))
        }
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test func timeStandsStillWhileTasksRun() throws {
        try TestLoop.run { test in
            let before = LoopClock.Instant.now
            for _ in 0..<10_000 { await Task.yield() }
            #expect(LoopClock.Instant.now == before)
            #expect(test.loop.clock.now == before)
        }
    }

    @Test func sleepsEndInTheOrderOfTheirDeadlines() throws {
        let order = try TestLoop.run { test in
            await withTaskGroup(of: Int.self) { group in
                for number in [5, 1, 4, 2, 3] {
                    group.addTask(executorPreference: test.loop) {
                        try? await test.loop.sleep(for: .milliseconds(number * 100))
                        return number
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(order == [1, 2, 3, 4, 5])
    }

    @Test func deadlinesTicksAndSchedulesGoByTheLoopsTime() throws {
        try TestLoop.run { test in
            let loop = test.loop
            await expectError(.timedOut) {
                try await withTimeout(.seconds(60), on: loop) { try await loop.sleep(for: .seconds(61)) }
            }
            #expect(test.elapsed == .seconds(60))
            try await loop.schedule(after: .seconds(30)) { #expect(test.elapsed == .seconds(90)) }.value
            var ticks = loop.ticks(every: .seconds(10)).makeAsyncIterator()
            for number in 1...3 {
                _ = try await ticks.next()
                #expect(test.elapsed == .seconds(90 + number * 10))
            }
        }
    }

    @Test func aCallerOnAnotherThreadHasTheLoopsTimeToo() async throws {
        try await TestLoop.run(patience: .seconds(60)) { test in
            let loop = test.loop
            await Task.detached {
                await expectError(.timedOut) {
                    try await withTimeout(.seconds(3_600), on: loop) { try await loop.sleep(for: .seconds(7_200)) }
                }
                try? await loop.sleep(for: .seconds(1))
            }.value
            // Later, when the other thread takes longer than the 10 ms for which the clock waits for it.
            #expect(test.elapsed >= .seconds(3_601))
            #expect(test.jobsFromElsewhere > 0)
        }
    }

    @Test func anotherRunHasATimeOfItsOwn() throws {
        try TestLoop.run { test in try await test.loop.sleep(for: .seconds(1_000)) }
        let system = LoopClock.Instant.now
        try TestLoop.run { test in #expect(test.elapsed == .zero) }
        // Out of the run the system's clock counts again.
        #expect(LoopClock.Instant.now >= system)
        #expect(LoopClock.Instant.now - system < .seconds(500))
    }

    // MARK: The order of tasks

    /// The order in which some tasks run that all are ready at once.
    private static func order(seed: UInt64?) throws -> ([Int], UInt64) {
        try TestLoop.run(seed: seed) { test in
            let order = Shared<[Int]>([])
            await withDiscardingTaskGroup { group in
                for number in 0..<8 {
                    group.addTask(executorPreference: test.loop) {
                        await Task.yield()
                        order.withLock { $0.append(number) }
                    }
                }
            }
            #expect(test.jobsFromElsewhere == 0)
            return (order.value, test.traceHash)
        }
    }

    @Test func withoutASeedTheOrderIsFirstComeFirstServed() throws {
        guard Self.hasNoSeed else { return }
        #expect(try Self.order(seed: nil).0 == Array(0..<8))
    }

    @Test func seedsMakeDifferentOrders() throws {
        let orders = try Set((0..<30).map { try Self.order(seed: $0).0 })
        #expect(orders.count >= 25)
        // Each of the eight comes first sometimes.
        #expect(Set(orders.map { $0[0] }).count >= 6)
    }

    @Test func aSeedMakesTheSameOrderAndTraceEachTime() throws {
        for seed: UInt64 in [0, 17, .max] {
            let first = try Self.order(seed: seed)
            for _ in 0..<30 {
                let again = try Self.order(seed: seed)
                #expect(again == first, "seed \(seed)")
            }
        }
    }

    @Test func actorsOfTheLoopAndOrdinaryOnesStayOnIt() throws {
        actor Tally {
            private(set) var count = 0
            func add() { count += 1 }
        }
        for seed in 0..<10 as Range<UInt64> {
            try TestLoop.run(seed: seed) { test in
                let tally = Tally()
                await withDiscardingTaskGroup { group in
                    for _ in 0..<20 {
                        group.addTask(executorPreference: test.loop) {
                            await tally.add()
                            await Task.yield()
                            await tally.add()
                        }
                    }
                }
                #expect(await tally.count == 40)
                #expect(test.jobsFromElsewhere == 0, "\(test)")
            }
        }
    }

    /// A counter that two tasks read and write with a suspension in between, which goes well where they do not meet.
    @Sendable private static func race(_ test: TestLoop) async throws {
        let count = Shared(0)
        await withDiscardingTaskGroup { group in
            for _ in 0..<2 {
                group.addTask(executorPreference: test.loop) {
                    let before = count.value
                    await Task.yield()
                    count.withLock { $0 = before + 1 }
                }
            }
        }
        test.note("the count is \(count.value)")
        if count.withLock({ $0 }) != 2 { throw RaceError() }
    }

    private struct RaceError: Error {}

    @Test func theSeedThatFailsIsNamedAndFailsAgain() throws {
        guard Self.hasNoSeed else { return }
        let failure = try #require(throws: TestFailure.self) {
            try TestLoop.run(seeds: 0..<100) { try await Self.race($0) }
        }
        let seed = try #require(failure.seed)
        guard case .thrown(is RaceError) = failure.reason else { throw failure }
        #expect("\(failure)".contains("seed \(seed) failed"))
        #expect("\(failure)".contains("TestLoop.run(seed: \(seed))"))
        #expect(failure.trace.contains { $0.contains("the count is 1") })
        #expect(throws: RaceError.self) { try TestLoop.run(seed: seed) { try await Self.race($0) } }
    }

    private static var hasNoSeed: Bool { ((try? SystemInfo.environmentValue(of: "SWIFT_UV_SEED")) ?? nil) == nil }

    // MARK: The end

    @Test func aRunGivesTheBodysValueAndError() throws {
        #expect(try TestLoop.run { _ in 42 } == 42)
        #expect(throws: RaceError.self) { try TestLoop.run { _ in throw RaceError() } }
    }

    @Test func whatWaitsIsNamedWhenNothingIsDue() throws {
        let failure = try #require(throws: TestFailure.self) {
            try TestLoop.run(seed: 3, patience: .milliseconds(1)) { test in
                let (client, server) = TestNetwork(test).pair()
                _ = try await client.read()
                await server.close()
            }
        }
        guard case .stuck(let waits) = failure.reason else { throw failure }
        #expect(waits.count == 1)
        #expect(waits[0].hasPrefix("read of 10.0.0.1:"))
        #expect("\(failure)".contains("nothing is due, and everything waits: read of 10.0.0.1:"))
        #expect(failure.seed == 3)
    }

    @Test func tasksThatWaitForEachOtherAreStuckToo() throws {
        let failure = try #require(throws: TestFailure.self) {
            try TestLoop.run(patience: .milliseconds(1)) { _ in
                let (stream, continuation) = AsyncStream<Int>.makeStream()
                for await _ in stream {}
                continuation.finish()
            }
        }
        guard case .stuck(let waits) = failure.reason else { throw failure }
        #expect(waits.isEmpty)
    }

    @Test func tasksThatRunForEverAreFound() throws {
        let failure = try #require(throws: TestFailure.self) {
            try TestLoop.run { test in
                let deadline = test.loop.clock.now + .seconds(1)
                while LoopClock.Instant.now < deadline, !Task.isCancelled { await Task.yield() }
            }
        }
        guard case .restless = failure.reason else { throw failure }
    }

    // MARK: Idle

    @Test func waitUntilIdleLetsNoTimeGoBy() throws {
        try TestLoop.run(seed: 5) { test in
            let steps = Shared(0)
            let task = test.loop.spawn {
                for _ in 0..<100 {
                    await Task.yield()
                    steps.withLock { $0 += 1 }
                }
                try await test.loop.sleep(for: .seconds(1))
                steps.withLock { $0 = 0 }
            }
            try await test.waitUntilIdle()
            #expect(steps.value == 100)
            #expect(test.elapsed == .zero)
            try await task.value
            #expect(test.elapsed == .seconds(1))
        }
    }

    // MARK: What the system has a part in

    @Test func socketsOfTheSystemGoOnAndTheirTimeoutsJump() throws {
        try TestLoop.run { test in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let near = try await TCPConnection.connect(to: listener.localAddress)
            let far = try #require(try await listener.accept())
            let echo = test.loop.spawn { for try await chunk in far { try await far.write(chunk) } }
            try await near.write("hello")
            #expect(try await near.read(exactly: 5) == Array("hello".utf8))
            await expectError(.timedOut) { _ = try await near.read(timeout: .seconds(3_600)) }
            #expect(test.elapsed >= .seconds(3_600) && test.elapsed < .seconds(3_601))
            try await near.finishWriting()
            try await echo.value
            for connection in [near, far] { await connection.close() }
            await listener.close()
        }
    }

    @Test func filesAndThreadsAreWaitedForBeforeTheTimeJumps() throws {
        try TestLoop.run { test in
            let path = FilePath("/dev/zero")
            let status = try await withTimeout(.milliseconds(1)) { try await FileSystem.status(of: path) }
            #expect(status.kind != .regular)
            let value = try await withTimeout(.milliseconds(1)) {
                try await test.loop.offload {
                    _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(50))
                    return 7
                }
            }
            #expect(value == 7)
            #expect(test.elapsed == .zero)
        }
    }

    @Test func timeDoesNotJumpWhileItIsHeld() async throws {
        try await TestLoop.run { test in
            try await withTimeout(.seconds(1)) {
                try await test.withoutJumps { try await Task.sleep(for: .milliseconds(30)) }
            }
            #expect(test.elapsed == .zero)
        }
    }
}
