import AsyncUV
import TestSupport
import Testing

@Suite(.ownThread) struct TicksTests {
    @Test func missedTicksAreLeftOutAndTheRhythmIsKept() throws {
        let interval = Duration.milliseconds(20)
        let (started, ticks) = try EventLoop.run { loop in
            let started = loop.clock.now
            var ticks: [LoopClock.Instant] = []
            for try await tick in loop.ticks(every: interval) {
                ticks.append(tick)
                if ticks.count == 2 { try await loop.sleep(for: interval * 3) }
                if ticks.count == 4 { break }
            }
            return (started, ticks)
        }
        // The third waits for a multiple of the interval instead of coming at once.
        #expect(ticks[2] - ticks[1] >= interval * 3)
        for (index, tick) in ticks.enumerated() {
            let number = index < 2 ? index + 1 : index + 4
            #expect(tick - started >= interval * number, "tick \(index + 1) was early")
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
