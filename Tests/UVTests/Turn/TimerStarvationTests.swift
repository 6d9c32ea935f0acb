import TestSupport
import Testing
import UV

/// A timer that is due again at once must leave the loop its other work: each of these never ends otherwise.
@Suite(.ownThread) struct TimerStarvationTests {
    @Test("T1, guard: one timer that starts itself with zero starves nobody")
    func oneTimer() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let echo = try Echo(on: loop) { timer.close() }
            startAgain(timer) { echo.send(after: 10) }
        }
    }

    @Test("T1, guard: two timers that start each other with zero starve nobody")
    func twoTimers() throws {
        try withLoop { loop in
            let ping = try TimerHandle(on: loop)
            let pong = try TimerHandle(on: loop)
            let echo = try Echo(on: loop) {
                ping.close()
                pong.close()
            }
            func start(_ timer: TimerHandle, then other: TimerHandle) {
                guard !timer.isClosing else { return }
                try! timer.start(after: .zero) { _ in
                    echo.send(after: 10)
                    start(other, then: timer)
                }
            }
            start(ping, then: pong)
        }
    }

    @Test("Guard: timers that are slower than their delay starve nobody")
    func slowTimers() throws {
        try withLoop { loop in
            let timers = try (0..<3).map { _ in try TimerHandle(on: loop) }
            let echo = try Echo(on: loop) { for timer in timers { timer.close() } }
            func start(_ timer: TimerHandle) {
                try! timer.start(after: .milliseconds(1)) { timer in
                    echo.send(after: 10)
                    spin(for: .milliseconds(4))
                    start(timer)
                }
            }
            timers.forEach(start)
        }
    }

    @Test("Guard: a repeating timer that is slower than its interval starves nobody")
    func slowRepetition() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let echo = try Echo(on: loop) { timer.close() }
            try timer.start(after: .zero, every: .milliseconds(1)) { _ in
                echo.send(after: 10)
                spin(for: .milliseconds(3))
            }
        }
    }

    @Test("Guard: timers that restart each other starve nobody")
    func restarts() throws {
        try withLoop { loop in
            let timers = try (0..<2).map { _ in try TimerHandle(on: loop) }
            let echo = try Echo(on: loop) { for timer in timers { timer.close() } }
            for timer in timers {
                try timer.start(after: .zero, every: .milliseconds(1)) { _ in
                    echo.send(after: 10)
                    spin(for: .milliseconds(3))
                    for timer in timers { try! timer.restart() }
                }
            }
        }
    }

    private func startAgain(_ timer: TimerHandle, _ count: @escaping () -> Void) {
        try! timer.start(after: .zero) { [self] timer in
            count()
            startAgain(timer, count)
        }
    }
}

/// A byte that goes there and back once the timers are busy.
private final class Echo {
    private let near: TCPHandle
    private var calls = 0

    init(on loop: Loop, then done: @escaping () -> Void) throws {
        let (near, far) = try TCPHandle.tcpPair(on: loop)
        self.near = near
        try far.startReading(onBytes: { far, bytes in try! far.write(bytes) }, onEnd: { far, _ in far.close() })
        try near.startReading(
            onBytes: { near, _ in
                done()
                near.close()
            }, onEnd: { _, _ in })
    }

    func send(after count: Int) {
        calls += 1
        if calls == count { try! near.write([1]) }
    }
}
