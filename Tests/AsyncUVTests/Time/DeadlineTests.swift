import AsyncUV
import TestSupport
import Testing
import UVTesting

/// `withDeadline`, `withTimeout`.
@Suite(.ownThread) struct DeadlineTests {
    struct Refusal: Error, Equatable {}

    @Test func value() throws {
        let value = try EventLoop.run { loop in
            try await withTimeout(.seconds(1_000)) {
                try await loop.sleep(for: .milliseconds(1))
                return 5
            }
        }
        #expect(value == 5)
    }

    @Test func error() throws {
        #expect(throws: Refusal()) {
            try EventLoop.run { _ in try await withTimeout(.seconds(1_000)) { throw Refusal() } }
        }
    }

    @Test func timeout() throws {
        let cancelled = Shared(false)
        expectError(.timedOut) {
            try EventLoop.run { loop in
                try await withTimeout(.milliseconds(3)) {
                    do { try await loop.sleep(for: .seconds(1_000)) } catch {
                        cancelled.value = error is CancellationError
                        throw error
                    }
                }
            }
        }
        #expect(cancelled.value)
    }

    @Test func theErrorNamesTheTimeAndWhatWasUnderWay() throws {
        @Sendable func text(_ timeout: Duration, _ body: @escaping @Sendable () async throws -> Void) async -> String {
            do { try await withTimeout(timeout, body) } catch { return "\(error)" }
            return "no error"
        }
        // Time goes by only when everything waits: a busy machine may need longer than the timeout until something is under way.
        try TestLoop.run { test in
            let loop = test.loop
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let connection = try await TCPConnection.connect(to: listener.localAddress)
            let accepted = try await listener.accept()
            let start = "timed out (ETIMEDOUT) in withTimeout(0.003 seconds)"
            let short = Duration.milliseconds(3)
            let read = "read from \(listener.localAddress)"
            #expect(await text(short) { try await loop.sleep(for: .seconds(1_000)) } == "\(start) of sleep")
            #expect(await text(short) { _ = try await connection.read() } == "\(start) of \(read)")
            #expect(await text(short) { _ = try await listener.accept() } == "\(start) of accept")
            let several = await text(short) {
                async let sleep: Void = loop.sleep(for: .seconds(1_000))
                _ = try await connection.read()
                try await sleep
            }
            #expect(["\(start) of \(read), sleep", "\(start) of sleep, \(read)"].contains(several))
            // What waits for something else than a loop has no name here.
            #expect(await text(short) { try await Task.sleep(for: .seconds(1_000)) } == start)
            do { try await withDeadline(.now + .seconds(-1)) { try await loop.sleep(for: .seconds(1_000)) } } catch {
                #expect("\(error)".hasPrefix("timed out (ETIMEDOUT) in withDeadline(-1."))
            }
            await connection.close()
            await accepted?.close()
            await listener.close()
        }
    }

    @Test func notBeforeTheDeadline() throws {
        try EventLoop.run { loop in
            for microseconds in [100, 999, 1_000, 1_001, 2_500] {
                let start = LoopClock.Instant.now
                await expectError(.timedOut) {
                    try await withTimeout(.microseconds(microseconds)) { try await loop.sleep(for: .seconds(1_000)) }
                }
                #expect(start.duration(to: .now) >= .microseconds(microseconds))
            }
        }
    }

    @Test func aDeadlineThatHasPassed() throws {
        try EventLoop.run { loop in
            for timeout in [Duration.zero, .seconds(-5)] {
                await expectError(.timedOut) {
                    try await withTimeout(timeout) { try await loop.sleep(for: .seconds(1_000)) }
                }
            }
        }
    }

    @Test("A value that comes in spite of the cancellation is returned")
    func lateValue() throws {
        let value = try EventLoop.run { loop in
            try await withTimeout(.milliseconds(1)) {
                try? await loop.sleep(for: .seconds(1_000))
                return 7
            }
        }
        #expect(value == 7)
    }

    @Test("An error of the operation's own after the deadline is its error")
    func lateError() throws {
        #expect(throws: Refusal()) {
            try EventLoop.run { loop in
                try await withTimeout(.milliseconds(1)) {
                    try? await loop.sleep(for: .seconds(1_000))
                    throw Refusal()
                }
            }
        }
    }

    @Test func outerCancellation() throws {
        try EventLoop.run { loop in
            let task = loop.spawn {
                try await withTimeout(.seconds(1_000)) { try await loop.sleep(for: .seconds(1_000)) }
            }
            try await loop.waitUntilIdle()
            task.cancel()
            #expect(await failure(of: task) is CancellationError)
        }
    }

    @Test("A value that comes in spite of an outer cancellation is not lost")
    func valueAfterOuterCancellation() throws {
        try EventLoop.run { loop in
            let task = loop.spawn {
                try await withTimeout(.seconds(1_000)) {
                    try? await loop.sleep(for: .seconds(1_000))
                    return 8
                }
            }
            try await loop.waitUntilIdle()
            task.cancel()
            let value = try await task.value
            #expect(value == 8)
        }
    }

    @Test func nested() throws {
        try EventLoop.run { loop in
            let outerFirst = await failure(
                of: loop.spawn {
                    try await withTimeout(.milliseconds(2)) {
                        do {
                            try await withTimeout(.seconds(1_000)) { try await loop.sleep(for: .seconds(1_000)) }
                        } catch {
                            #expect(error is CancellationError, "the inner timeout has not passed")
                            throw error
                        }
                    }
                })
            #expect(code(of: outerFirst) == .timedOut)
            let innerFirst = try await withTimeout(.seconds(1_000)) {
                await failure(
                    of: loop.spawn {
                        try await withTimeout(.milliseconds(2)) { try await loop.sleep(for: .seconds(1_000)) }
                    })
            }
            #expect(code(of: innerFirst) == .timedOut)
        }
    }

    @Test func fromATaskElsewhere() async throws {
        try await withOwnLoop { loop in
            await expectError(.timedOut) {
                try await withTimeout(.milliseconds(2), on: loop) { try await Task.sleep(for: .seconds(1_000)) }
            }
            await expectError(.timedOut) {
                try await withDeadline(.now.advanced(by: .milliseconds(2)), on: loop) {
                    try await Task.sleep(for: .seconds(1_000))
                }
            }
        }
    }

    @Test("A loop that ends is not a timeout")
    func endOfTheLoop() async throws {
        let loop = try EventLoop()
        let task = Task {
            try await withTimeout(.seconds(1_000), on: loop) { try await loop.sleep(for: .seconds(1_000)) }
        }
        for _ in 0..<5 { try await loop.withLoop { _ in } }
        await loop.shutdown()
        #expect(code(of: await failure(of: task)) == .canceled)
    }

    @Test func timeoutOfARead() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            await expectError(.timedOut) {
                try await withTimeout(.milliseconds(2)) { try await near.read() }
            }
            try await far.write([1, 2])
            #expect(try await near.read(exactly: 2) == [1, 2], "the connection goes on")
        }
    }
}
