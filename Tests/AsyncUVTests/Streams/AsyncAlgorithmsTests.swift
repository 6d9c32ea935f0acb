import AsyncAlgorithms
import AsyncUV
import TestSupport
import Testing

/// The clock drives the time-based algorithms of swift-async-algorithms.
@Suite(.ownThread) struct AsyncAlgorithmsTests {
    @Test func timer() throws {
        try EventLoop.run { loop in
            let start = LoopClock.Instant.now
            var count = 0
            for await tick in AsyncTimerSequence(interval: .milliseconds(2), clock: loop.clock) {
                count += 1
                #expect(start.duration(to: tick) >= .milliseconds(2 * count))
                if count == 10 { break }
            }
            #expect(count == 10 && loop.isCurrent)
        }
    }

    @Test func debounce() throws {
        let seen = try EventLoop.run { loop in
            let gate = Gate()
            let numbers = AsyncStream(Int.self) { continuation in
                loop.spawn {
                    for number in 0..<10 { continuation.yield(number) }
                    await gate.wait()
                    for number in 10..<20 { continuation.yield(number) }
                    continuation.finish()
                }
            }
            var seen: [Int] = []
            for await number in numbers.debounce(for: .milliseconds(20), clock: loop.clock) {
                seen.append(number)
                // The clock has woken it; what comes at the end needs no clock.
                if number == 9 { await gate.open() }
            }
            return seen
        }
        #expect(seen.contains(9) && seen.last == 19 && seen.count < 20)
    }

    @Test func throttle() throws {
        let seen = try EventLoop.run { loop in
            let ticks = AsyncTimerSequence(interval: .milliseconds(1), clock: loop.clock)
            var seen: [LoopClock.Instant] = []
            let start = loop.clock.now
            for await tick in ticks._throttle(for: .milliseconds(5), clock: loop.clock) {
                seen.append(tick)
                if seen.count == 5 { break }
            }
            #expect(start.duration(to: loop.clock.now) >= .milliseconds(4 * 5))
            return seen
        }
        for (earlier, later) in zip(seen, seen.dropFirst()) { #expect(earlier.duration(to: later) > .zero) }
        #expect(seen.count == 5)
    }

    @Test func merge() throws {
        try EventLoop.run { loop in
            let first = AsyncTimerSequence(interval: .milliseconds(1), clock: loop.clock).prefix(5)
            let second = AsyncTimerSequence(interval: .milliseconds(2), clock: loop.clock).prefix(5)
            var count = 0
            for await _ in AsyncAlgorithms.merge(first, second) { count += 1 }
            #expect(count == 10 && loop.isCurrent)
        }
    }
}
