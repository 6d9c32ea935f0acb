import TestSupport
import Testing
import UV

@Suite(.ownThread) struct MillionTimersTests {
    /// Dies with the closure that holds it.
    private final class Token {
        nonisolated(unsafe) static var alive = 0
        init() { unsafe Token.alive += 1 }
        deinit { unsafe Token.alive -= 1 }
    }

    @Test("L2: one million timers, a tenth of them cancelled, fire once, in order and never early")
    func million() throws {
        // With a sanitizer a million take minutes, and show nothing more.
        let count = isSanitized ? 100_000 : 1_000_000
        var random = SeededGenerator(seed: 2)
        var due: [UInt32] = []
        var earliest: [Int64] = []
        var fired: [Int32] = []
        due.reserveCapacity(count)
        earliest.reserveCapacity(count)
        fired.reserveCapacity(count)
        var early = 0
        weak var sample: TimerHandle?
        try withLoop { loop in
            let clock = loop.now
            let timers = try (0..<count).map { index in
                let timer = try TimerHandle(on: loop)
                let delay = Duration.microseconds(Int.random(in: 0...2_000_000, using: &random))
                earliest.append((Loop.hrtime + delay).nanoseconds)
                let token = Token()
                try timer.start(after: delay) { timer in
                    _ = token
                    if Loop.hrtime.nanoseconds < earliest[index] { early += 1 }
                    fired.append(Int32(index))
                    timer.close()
                }
                due.append(UInt32((timer.timeLeft + loop.now - clock).nanoseconds / 1_000_000))
                return timer
            }
            for index in stride(from: 0, to: count, by: 10) { timers[index].close() }
            sample = timers[count / 2]
        }
        #expect(fired.count == count - count / 10)
        #expect(early == 0)
        #expect(!fired.contains { $0 % 10 == 0 }, "a cancelled timer fired")
        let outOfOrder = zip(fired, fired.dropFirst()).count { first, second in
            // Strictly: no timer twice, and equal due times in the order of their start.
            (due[Int(first)], first) >= (due[Int(second)], second)
        }
        #expect(outOfOrder == 0)
        unsafe #expect(Token.alive == 0 && sample == nil, "memory returns")
    }
}

extension Duration {
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
