import AsyncUV
import TestSupport
import Testing
import UV

/// Sleeps, ticks and the clock of a loop.
@Suite(.ownThread, .timeLimit(.minutes(2))) struct LoopClockTests {
    @Test("Never early by the monotonic clock")
    func neverEarly() throws {
        try EventLoop.run { loop in
            var generator = SeededGenerator(seed: 11)
            let delays = (0..<500).map { _ in Duration.nanoseconds(Int.random(in: 0...20_000_000, using: &generator)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for delay in delays {
                    group.addTask {
                        let start = Loop.hrtime
                        try await loop.sleep(for: delay)
                        #expect(Loop.hrtime - start >= delay)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func sleepersWakeInTheOrderOfTheirDeadlines() throws {
        let order = Shared<[Int]>([])
        try EventLoop.run { loop in
            var generator = SeededGenerator(seed: 12)
            let base = LoopClock.Instant.now.advanced(by: .seconds(2))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in (0..<200).shuffled(using: &generator) {
                    group.addTask {
                        try await loop.sleep(until: base.advanced(by: .microseconds(50 * number)))
                        order.change { $0.append(number) }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(order.value == Array(0..<200))
    }

    @Test func equalDeadlinesWakeInTheOrderOfTheirStart() throws {
        let order = Shared<[Int]>([])
        try EventLoop.run { loop in
            let deadline = LoopClock.Instant.now.advanced(by: .seconds(2))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        try await loop.sleep(until: deadline)
                        order.change { $0.append(number) }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(order.value == Array(0..<100))
    }

    @Test("T1: negative, zero, one nanosecond, and centuries")
    func strangeDurations() throws {
        try EventLoop.run { loop in
            for duration in [Duration.zero, .seconds(-1), .seconds(Int64.min / 2), .nanoseconds(1)] {
                try await loop.sleep(for: duration)
            }
            for duration in [Duration.seconds(Int64.max / 2), .seconds(Int64.max), .seconds(100 * 365 * 86_400)] {
                let task = loop.spawn { try await loop.sleep(for: duration) }
                try await loop.sleep(for: .milliseconds(2))
                task.cancel()
                #expect(await failure(of: task) is CancellationError)
            }
        }
    }

    @Test func instants() {
        let now = LoopClock.Instant.now
        let later = now.advanced(by: .milliseconds(5))
        #expect(now < later && now.duration(to: later) == .milliseconds(5))
        #expect(later.duration(to: now) == .milliseconds(-5))
        #expect(now.advanced(by: .seconds(Int64.max)) > later)
        #expect(now.advanced(by: .seconds(Int64.min)) < now)
        #expect(Set([now, now, later]).count == 2)
    }

    @Test func asAGenericClock() throws {
        try EventLoop.run { loop in
            func wait(on clock: some Clock<Duration>) async throws -> Duration {
                try await clock.measure { try await clock.sleep(for: .milliseconds(3)) }
            }
            let onGiven = try await wait(on: loop.clock)
            let onOwn = try await wait(on: LoopClock())
            #expect(onGiven >= .milliseconds(3) && onOwn >= .milliseconds(3))
            #expect(LoopClock().loop === loop)
            #expect(loop.isCurrent)
        }
    }

    @Test("C1: cancelled while asleep, and before")
    func cancellation() throws {
        try EventLoop.run { loop in
            let asleep = loop.spawn { try await loop.sleep(for: .seconds(1_000)) }
            await settle()
            asleep.cancel()
            #expect(await failure(of: asleep) is CancellationError)
            for duration in [Duration.zero, .seconds(1_000)] {
                let before = loop.spawn {
                    while !Task.isCancelled { await Task.yield() }
                    try await loop.sleep(for: duration)
                }
                before.cancel()
                #expect(await failure(of: before) is CancellationError)
            }
        }
    }

    @Test func cancelledSleepsDoNotDisturbOthers() throws {
        let woken = Shared<[Int]>([])
        try EventLoop.run { loop in
            let start = LoopClock.Instant.now
            let tasks = (0..<1_000).map { number in
                loop.spawn {
                    try await loop.sleep(until: start.advanced(by: .milliseconds(5_000 + number % 10)))
                    woken.change { $0.append(number) }
                }
            }
            await settle()
            for (number, task) in tasks.enumerated() where number % 3 != 0 { task.cancel() }
            for task in tasks { _ = await task.result }
        }
        #expect(woken.value.sorted() == Array(stride(from: 0, to: 1_000, by: 3)))
    }

    @Test func ticks() throws {
        try EventLoop.run { loop in
            let start = LoopClock.Instant.now
            var count = 0
            for try await tick in loop.ticks(every: .milliseconds(2)) {
                count += 1
                #expect(start.duration(to: tick) >= .milliseconds(2 * count))
                if count == 10 { break }
            }
            #expect(loop.isCurrent)
        }
    }

    @Test("Ticks that nobody was there for are left out, also a billion of them")
    func missedTicks() throws {
        try EventLoop.run { loop in
            let start = LoopClock.Instant.now
            var ticks = loop.ticks(every: .milliseconds(2)).makeAsyncIterator()
            try await loop.sleep(for: .milliseconds(11))
            let first = try #require(try await ticks.next())
            let second = try #require(try await ticks.next())
            #expect(start.duration(to: first) >= .milliseconds(11))
            #expect(second > first)
            var fast = loop.ticks(every: .nanoseconds(1)).makeAsyncIterator()
            try await loop.sleep(for: .seconds(1))
            for _ in 0..<3 { _ = try await fast.next() }
        }
    }

    @Test func ticksEndWithTheirTask() throws {
        try EventLoop.run { loop in
            let task = loop.spawn { for try await _ in loop.ticks(every: .milliseconds(1)) {} }
            try await loop.sleep(for: .milliseconds(5))
            task.cancel()
            #expect(await failure(of: task) is CancellationError)
            await #expect(throws: UVError.coded(.invalidArgument)) {
                for try await _ in loop.ticks(every: .zero) {}
            }
            await #expect(throws: UVError.coded(.invalidArgument)) {
                for try await _ in loop.ticks(every: .seconds(-1)) {}
            }
        }
    }
}
