import TestSupport
import Testing
import UV

/// A timer that is due again at once must leave the loop its other work: each of these never ends otherwise.
@Suite(.ownThread) struct TimerStarvationTests {
    @Test("T1, guard: one timer that starts itself with zero starves nobody")
    func oneTimer() throws {
        var turns = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            startAgain(timer) { turns += 1 }
            try echoOnce(on: loop) { timer.close() }
        }
        #expect(turns > 0)
    }

    @Test("T1, guard: two timers that start each other with zero starve nobody")
    func twoTimers() throws {
        var calls = 0
        try withLoop { loop in
            let ping = try TimerHandle(on: loop)
            let pong = try TimerHandle(on: loop)
            func start(_ timer: TimerHandle, then other: TimerHandle) {
                guard !timer.isClosing else { return }
                try! timer.start(after: .zero) { _ in
                    calls += 1
                    start(other, then: timer)
                }
            }
            start(ping, then: pong)
            try echoOnce(on: loop) {
                ping.close()
                pong.close()
            }
        }
        #expect(calls > 0)
    }

    @Test("Guard: timers that are slower than their delay starve nobody")
    func slowTimers() throws {
        var calls = 0
        try withLoop { loop in
            let timers = try (0..<3).map { _ in try TimerHandle(on: loop) }
            func start(_ timer: TimerHandle) {
                try! timer.start(after: .milliseconds(1)) { timer in
                    calls += 1
                    spin(for: .milliseconds(4))
                    start(timer)
                }
            }
            timers.forEach(start)
            try echoOnce(on: loop) { for timer in timers { timer.close() } }
        }
        #expect(calls > 0)
    }

    @Test("Guard: a repeating timer that is slower than its interval starves nobody")
    func slowRepetition() throws {
        var calls = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .zero, every: .milliseconds(1)) { _ in
                calls += 1
                spin(for: .milliseconds(3))
            }
            try echoOnce(on: loop) { timer.close() }
        }
        #expect(calls > 0)
    }

    @Test("Guard: timers that restart each other starve nobody")
    func restarts() throws {
        var calls = 0
        try withLoop { loop in
            let timers = try (0..<2).map { _ in try TimerHandle(on: loop) }
            for timer in timers {
                try timer.start(after: .zero, every: .milliseconds(1)) { _ in
                    calls += 1
                    spin(for: .milliseconds(3))
                    for timer in timers { try! timer.restart() }
                }
            }
            try echoOnce(on: loop) { for timer in timers { timer.close() } }
        }
        #expect(calls > 0)
    }

    private func startAgain(_ timer: TimerHandle, _ count: @escaping () -> Void) {
        try! timer.start(after: .zero) { [self] timer in
            count()
            startAgain(timer, count)
        }
    }

    /// Sends a byte there and back, then calls the closure.
    private func echoOnce(on loop: Loop, then done: @escaping () -> Void) throws {
        let (near, far) = try TCPHandle.tcpPair(on: loop)
        try far.startReading(
            onBytes: { far, bytes in try! far.write(bytes) }, onEnd: { far, _ in far.close() })
        try near.startReading(
            onBytes: { near, _ in
                done()
                near.close()
            }, onEnd: { _, _ in })
        try near.write([1])
    }
}
