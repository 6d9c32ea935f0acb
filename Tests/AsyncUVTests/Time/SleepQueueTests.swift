import TestSupport
import Testing
import UV

@testable import AsyncUV

/// The queue of timers of a loop.
@Suite(.ownThread) struct SleepQueueTests {
    @Test func entriesFireInTheOrderOfTheirDeadlinesAndMayComeBack() throws {
        let order = Shared<[Int]>([])
        try EventLoop.run { loop in
            try await loop.onQueue { queue in
                let start = Loop.hrtime
                for number in [30, 10, 20] {
                    // Fires three times, each time ten milliseconds later.
                    var left = 3
                    try queue.add(
                        Entry(at: start + .milliseconds(number)) { entry in
                            #expect(Loop.hrtime >= entry.deadline && !entry.isQueued)
                            let time = Int((entry.deadline - start) / .milliseconds(1))
                            order.change { $0.append(time) }
                            left -= 1
                            entry.deadline += .milliseconds(100)
                            if left > 0 { try? queue.add(entry) }
                        })
                }
            }
            while order.value.count < 9 { try await loop.sleep(for: .milliseconds(10)) }
        }
        #expect(order.value == [10, 20, 30, 110, 120, 130, 210, 220, 230])
    }

    @Test("An entry that comes back with a deadline that has passed does not keep the others waiting")
    func noEndlessTurn() throws {
        try EventLoop.run { loop in
            let count = Shared(0)
            let restless = try await loop.onQueue { queue in
                let entry = Entry(at: .zero) { entry in
                    count.change { $0 += 1 }
                    try? queue.add(entry)
                }
                try queue.add(entry)
                return LoopBound(entry)
            }
            let start = LoopClock.Instant.now
            try await loop.sleep(for: .milliseconds(20))
            let (calls, took) = (count.value, LoopClock.Instant.now - start)
            #expect(calls >= 1 && calls <= Int(took / .milliseconds(1)) + 1, "once a millisecond at most")
            try await loop.onQueue { $0.remove(restless.open(on: loop)) }
            try await loop.sleep(for: .milliseconds(5))
            #expect(count.value <= calls + 5)
        }
    }

    @Test func anEntryRemovesAnotherThatIsDueAtTheSameTime() throws {
        let calls = Shared(0)
        try EventLoop.run { loop in
            try await loop.onQueue { queue in
                let deadline = Loop.hrtime + .milliseconds(2)
                var entries: [Entry] = []
                for _ in 0..<10 {
                    entries.append(
                        Entry(at: deadline) { _ in
                            calls.change { $0 += 1 }
                            for entry in entries { queue.remove(entry) }
                            entries = []
                        })
                }
                for entry in entries { try queue.add(entry) }
            }
            try await loop.sleep(for: .milliseconds(10))
        }
        #expect(calls.value == 1)
    }

    @Test("What still waits when the loop ends is dropped, and nothing is taken any more")
    func endOfTheLoop() throws {
        let fate = Shared("")
        let loop = try EventLoop.run { loop in
            try await loop.onQueue { queue in
                try queue.add(
                    Entry(at: Loop.hrtime + .seconds(1_000), whenFreed: { fate.value += "freed" }) { _ in
                        fate.value += "fired"
                    })
            }
            return loop
        }
        #expect(fate.value == "freed")
        withExtendedLifetime(loop) {}
    }

    @Test("A loop whose tasks sleep for an hour does not turn")
    func noTurnsWhileAllSleep() throws {
        try EventLoop.run { loop in
            let sleepers = (0..<100).map { number in
                loop.spawn { try await loop.sleep(for: .seconds(3_600 + number)) }
            }
            try await loop.waitUntilIdle()
            let before = try await loop.counters
            try await loop.sleep(for: .milliseconds(300))
            let turns = try await loop.counters.turns - before.turns
            #expect(turns <= 12, "this sleep, and where a slot begins")
            for sleeper in sleepers { sleeper.cancel() }
        }
    }
}

private final class Entry: TimerEntry {
    private let call: (Entry) -> Void
    private let whenFreed: () -> Void

    init(at deadline: Duration, whenFreed: @escaping () -> Void = {}, _ call: @escaping (Entry) -> Void) {
        self.call = call
        self.whenFreed = whenFreed
        super.init(deadline: deadline)
    }

    deinit { whenFreed() }

    override func fire() { call(self) }
}

extension EventLoop {
    fileprivate func onQueue<Value: Sendable>(_ body: @Sendable (SleepQueue) throws -> Value) async throws -> Value {
        try await withLoop { _ in try body(self.core.open(on: self).sleeps) }
    }
}
