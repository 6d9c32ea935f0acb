import Foundation
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct TimerTests {
    @Test func fireInTheOrderOfTheirDueTimes() throws {
        var fired: [Int] = []
        var due: [(delay: Int, left: Duration)] = []
        try withLoop { loop in
            for delay in [3, 1, 2, 0] {
                let timer = try TimerHandle(on: loop)
                try timer.start(after: .milliseconds(delay * 3)) { timer in
                    fired.append(delay)
                    timer.close()
                }
                // Each counts from its own start: where that comes late, another one is due first.
                due.append((delay, timer.timeLeft))
            }
        }
        #expect(fired == due.sorted { $0.left < $1.left }.map(\.delay))
    }

    @Test func equalDueTimesFireInTheOrderOfTheirStart() throws {
        var fired: [Int] = []
        try withLoop { loop in
            let timers = try (0..<100).map { _ in try TimerHandle(on: loop) }
            // Zero is due by the loop's clock, which stands still here.
            for index in timers.indices.reversed() {
                try timers[index].start(after: .zero) { timer in
                    fired.append(index)
                    timer.close()
                }
            }
        }
        #expect(fired == Array((0..<100).reversed()))
    }

    @Test func areNeverEarly() throws {
        var fired = 0
        try withLoop { loop in
            for microseconds in stride(from: 0, through: 20_000, by: 137) {
                let delay = Duration.microseconds(microseconds)
                let started = Loop.hrtime
                try TimerHandle(on: loop).start(after: delay) { timer in
                    #expect(Loop.hrtime - started >= delay)
                    fired += 1
                    timer.close()
                }
            }
        }
        #expect(fired == 146)
    }

    @Test("Guard: a timer started by slow code, with the loop's clock behind, is not early")
    func areNotEarlyWhenTheClockIsBehind() throws {
        var fired = 0
        try withLoop { loop in
            let slow = try TimerHandle(on: loop)
            let timer = try TimerHandle(on: loop)
            try slow.start(after: .zero) { slow in
                spin(for: .milliseconds(8))
                let started = Loop.hrtime
                try! timer.start(after: .milliseconds(5)) { timer in
                    #expect(Loop.hrtime - started >= .milliseconds(5))
                    fired += 1
                    timer.close()
                }
                slow.close()
            }
        }
        #expect(fired == 1)
    }

    /// Whose closures work for long before libuv waits for events.
    enum Worker: CaseIterable {
        case timer, idle, prepare, check, wakeup

        func work(on loop: Loop, _ work: @escaping () -> Void) throws {
            func once(_ handle: Handle) {
                work()
                handle.close()
            }
            switch self {
            case .timer: try TimerHandle(on: loop).start(after: .zero, once)
            case .idle: try IdleHandle(on: loop).start(once)
            case .prepare: try PrepareHandle(on: loop).start(once)
            case .check:
                // Keeps the loop from waiting for the other timer first.
                let idle = try IdleHandle(on: loop)
                try idle.start { _ in }
                try CheckHandle(on: loop).start { check in
                    once(check)
                    idle.close()
                }
            case .wakeup: try WakeupHandle(on: loop, once).waker.wake()
            }
        }
    }

    @Test("Guard: closures that work do not make timers late, started before or after", arguments: Worker.allCases)
    func areNotLateAfterWork(_ worker: Worker) throws {
        var latest = Duration.seconds(1_000)
        // The machine may be busy: once is enough.
        for _ in 0..<100 where latest > .milliseconds(60) {
            latest = .zero
            func expectCall(at due: Duration, _ timer: TimerHandle) {
                latest = max(latest, Loop.hrtime - due)
                timer.close()
            }
            try withLoop { loop in
                let due = Loop.hrtime + .milliseconds(170)
                try TimerHandle(on: loop).start(after: .milliseconds(170)) { expectCall(at: due, $0) }
                try worker.work(on: loop) {
                    spin(for: .milliseconds(120))
                    let due = Loop.hrtime + .milliseconds(20)
                    try! TimerHandle(on: loop).start(after: .milliseconds(20)) { expectCall(at: due, $0) }
                }
            }
        }
        #expect(latest <= .milliseconds(60), "with libuv's own wait more than 120 ms")
    }

    @Test func scheduledCallsComeOnceAndCanBeCalledOff() throws {
        var calls: [Int] = []
        try withLoop { loop in
            try loop.schedule(after: .milliseconds(2)) { calls.append(2) }
            let timer = try loop.schedule(after: .zero) {
                calls.append(1)
                #expect(Loop.current?.handles.contains { !$0.isClosing } == true, "the other timer")
            }
            #expect(timer.description.contains("UVTests/TimerTests.swift:"))
            try loop.schedule(after: .zero) { Issue.record("called off") }.close()
            expectError(.invalidArgument) { try loop.schedule(after: .seconds(-1)) {} }
        }
        #expect(calls == [1, 2])
    }

    @Test func aForeignLoopIsToldToWaitFromNowOn() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .seconds(100)) { _ in }
            try loop.run(.noWait)
            spin(for: .milliseconds(30))
            let wait = try #require(loop.backendTimeout)
            #expect(wait <= .seconds(100) - .milliseconds(28))
            timer.close()
        }
    }

    @Test("Repeated calls keep their rhythm: lateness does not add up, and missed calls are left out")
    func rhythm() throws {
        var calls = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .milliseconds(20), every: .milliseconds(20)) { timer in
                calls += 1
                if calls == 4 { timer.close() }
            }
            let first = loop.now + timer.timeLeft
            for (call, late) in [(1, 7), (2, 13), (3, 50)] {
                let due = loop.now + timer.timeLeft
                while loop.now < due + .milliseconds(late) { loop.updateTime() }
                try loop.run(.noWait)
                #expect(calls == call)
                let next = loop.now + timer.timeLeft - first
                #expect(next.milliseconds % 20 == 0, "call \(call + 1) is due \(next) after the first")
                #expect(loop.now <= first + next)
            }
        }
        #expect(calls == 4)
    }

    @Test func repeatUntilStopped() throws {
        var calls = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let started = Loop.hrtime
            try timer.start(after: .milliseconds(2), every: .milliseconds(3)) { timer in
                #expect(Loop.hrtime - started >= .milliseconds(2 + 3 * calls))
                calls += 1
                if calls == 4 { timer.close() }
            }
            #expect(timer.interval == .milliseconds(3))
        }
        #expect(calls == 4)
    }

    @Test func aSecondStartReplacesTimesAndClosure() throws {
        var first = 0
        var second = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .milliseconds(1), every: .milliseconds(1)) { _ in first += 1 }
            try timer.start(after: .milliseconds(2)) { timer in
                second += 1
                timer.close()
            }
            #expect(timer.interval == nil)
        }
        #expect(first == 0 && second == 1)
    }

    @Test func aStartInsideTheCallReplacesTheClosure() throws {
        var calls: [String] = []
        try withLoop { loop in
            try TimerHandle(on: loop).start(after: .zero) { timer in
                calls.append("first")
                try! timer.start(after: .milliseconds(1)) { timer in
                    calls.append("second")
                    timer.close()
                }
            }
        }
        #expect(calls == ["first", "second"])
    }

    @Test func aStoppedTimerDoesNotFireAndRestartsWithItsClosure() throws {
        var calls = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .milliseconds(1), every: .milliseconds(2)) { timer in
                calls += 1
                timer.close()
            }
            timer.stop()
            timer.stop()
            #expect(!timer.isActive && timer.timeLeft == .zero)
            try loop.run()
            #expect(calls == 0)
            try timer.restart()
            #expect(timer.isActive)
        }
        #expect(calls == 1)
    }

    @Test func restartCountsOneIntervalFromNow() throws {
        var calls = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .zero, every: .milliseconds(4)) { timer in
                calls += 1
                timer.close()
            }
            let restarted = Loop.hrtime
            try timer.restart()
            try loop.run()
            #expect(Loop.hrtime - restarted >= .milliseconds(4))
        }
        #expect(calls == 1)
    }

    @Test func restartNeedsAStart() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            expectError(.invalidArgument) { try timer.restart() }
            timer.close()
        }
    }

    @Test func restartWithoutAnIntervalDoesNothing() throws {
        var calls = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .milliseconds(1)) { _ in calls += 1 }
            try loop.run()
            try timer.restart()
            #expect(!timer.isActive)
            try loop.run()
            timer.close()
        }
        #expect(calls == 1)
    }

    @Test func aChangedIntervalCountsFromTheNextCallOn() throws {
        var calls = 0
        try withLoop { loop in
            let started = Loop.hrtime
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .milliseconds(1), every: .milliseconds(1)) { timer in
                calls += 1
                // The next call is armed already: this one counts after it.
                if calls == 1 { try! timer.setInterval(.milliseconds(5)) }
                if calls == 3 {
                    #expect(Loop.hrtime - started >= .milliseconds(7))
                    timer.close()
                }
            }
        }
        #expect(calls == 3)
    }

    @Test func noIntervalMakesTheNextCallTheLast() throws {
        var calls = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .milliseconds(1), every: .milliseconds(1)) { _ in calls += 1 }
            try timer.setInterval(nil)
            #expect(timer.interval == nil)
            try loop.run()
            timer.close()
        }
        #expect(calls == 1)
    }

    @Test func anIntervalMakesAFinishedTimerRepeat() throws {
        var calls = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .zero) { timer in
                calls += 1
                if calls == 3 { timer.close() }
            }
            try loop.run()
            try timer.setInterval(.milliseconds(1))
            try timer.restart()
        }
        #expect(calls == 3)
    }

    @Test func timeLeftCountsDownByTheLoopsClock() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            #expect(timer.timeLeft == .zero)
            try timer.start(after: .seconds(5)) { _ in }
            let left = timer.timeLeft
            #expect(left >= .seconds(5))
            spin(for: .milliseconds(3))
            #expect(timer.timeLeft == left, "the loop's clock stands still between turns")
            loop.updateTime()
            #expect(timer.timeLeft <= left - .milliseconds(2))
            timer.close()
        }
    }

    @Test func manyTimersMayEndEachOther() throws {
        var fired = 0
        try withLoop { loop in
            let timers = try (0..<10).map { _ in try TimerHandle(on: loop) }
            for timer in timers {
                try timer.start(after: .zero) { _ in
                    fired += 1
                    for timer in timers { timer.close() }
                }
            }
        }
        #expect(fired == 1)
    }
}

/// Uses the processor; the time of a sleep would be the loop's idle time.
func spin(for time: Duration) {
    let end = Loop.hrtime + time
    while Loop.hrtime < end {}
}

extension Duration {
    fileprivate var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
