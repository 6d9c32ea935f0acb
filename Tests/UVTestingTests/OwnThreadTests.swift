import AsyncUV
import TestSupport
import Testing
import UVTesting

/// Runs that do not block the thread of their test.
@Suite struct OwnThreadTests {
    private struct SomeError: Error {}

    @Test func aRunGivesTheBodysValueAndErrorToAnAsyncTest() async throws {
        let value = try await TestLoop.run { test in
            try await test.loop.sleep(for: .seconds(3_600))
            return (test.elapsed, test.jobsFromElsewhere)
        }
        #expect(value == (.seconds(3_600), 0))
        await #expect(throws: SomeError.self) { try await TestLoop.run { _ in throw SomeError() } }
    }

    @Test func theTraceIsThatOfARunOnTheTestsThread() async throws {
        @Sendable func body(_ test: TestLoop) async throws -> UInt64 {
            let (client, server) = TestNetwork(test, conditions: .rough).pair()
            let echo = test.loop.spawn { for try await chunk in server { try await server.write(chunk) } }
            try await client.write(Array(repeating: 1, count: 5_000))
            _ = try await client.read(exactly: 5_000)
            try await client.finishWriting()
            try await echo.value
            return test.traceHash
        }
        func here() throws -> UInt64 { try TestLoop.run(seed: 4, body) }
        let hash = try here()
        for _ in 0..<20 { #expect(try await TestLoop.run(seed: 4, body) == hash) }
    }

    @Test func aStuckRunEndsItsTestAsWell() async throws {
        let failure = try #require(
            await #expect(throws: TestFailure.self) {
                try await TestLoop.run(patience: .milliseconds(1)) { test in
                    let channel = Channel<Int>(on: test.loop)
                    _ = try await channel.next()
                }
            })
        guard case .stuck(let waits) = failure.reason else { throw failure }
        #expect(waits.count == 1)
    }

    @Test func cancellingTheTestCancelsTheBody() async throws {
        let run = Task {
            try await TestLoop.run { test in
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                try await test.loop.sleep(for: .seconds(1))
            }
        }
        await #expect(throws: CancellationError.self) { try await run.value }
        let other = Task {
            try await TestLoop.run { test in while true { try await test.loop.sleep(for: .seconds(1)) } }
        }
        other.cancel()
        await #expect(throws: CancellationError.self) { try await other.value }
    }

    @Test func aFailingSeedIsNamed() async throws {
        let failure = try #require(
            await #expect(throws: TestFailure.self) {
                try await TestLoop.run(seeds: 7..<9) { test in if test.seed == 8 { throw SomeError() } }
            })
        #expect(failure.seed == 8)
    }
}
