import AsyncUV
import TestSupport
import Testing
import UVTesting

@Suite(.ownThread) struct TicksTests {
    @Test func missedTicksAreLeftOutAndTheRhythmIsKept() throws {
        try TestLoop.run { test in
            var ticks: [Duration] = []
            for try await _ in test.loop.ticks(every: .seconds(20)) {
                ticks.append(test.elapsed)
                if ticks.count == 2 { try await test.loop.sleep(for: .seconds(70)) }
                if ticks.count == 4 { break }
            }
            // The third waits for a multiple of the interval instead of coming at once.
            #expect(ticks == [.seconds(20), .seconds(40), .seconds(120), .seconds(140)])
        }
    }

    @Test func ticksOfTheSystemsTimeAreNotEarly() throws {
        let interval = Duration.milliseconds(5)
        try EventLoop.run { loop in
            let started = loop.clock.now
            var count = 0
            for try await tick in loop.ticks(every: interval) {
                count += 1
                #expect(tick - started >= interval * count, "tick \(count) was early")
                if count == 3 { break }
            }
        }
    }

    @Test func aTinyIntervalNeedsNoCatchingUp() throws {
        try EventLoop.run { loop in
            var ticks = loop.ticks(every: .nanoseconds(1)).makeAsyncIterator()
            try await loop.sleep(for: .milliseconds(10))
            #expect(try await ticks.next() != nil)
            #expect(try await ticks.next() != nil)
        }
    }

    @Test func anIntervalOfNothingIsRefused() throws {
        try EventLoop.run { loop in
            await expectError(.invalidArgument) {
                for try await _ in loop.ticks(every: .zero) {}
            }
        }
    }
}
