import TestSupport
import Testing
import UV

/// What all have: a handle, and a few tries after its close.
class StormHandle<H: Handle>: StormActor {
    let handle: H
    private var triesAfterClose = 5
    final var isOver: Bool { triesAfterClose == 0 }

    init(_ storm: Storm, _ handle: H) {
        self.handle = handle
    }

    final func act(_ storm: Storm) {
        if handle.isClosing { triesAfterClose -= 1 }
        if storm.luck(30) { storm.close(handle) { handle.close(onClosed: $0) } } else { doSomething(storm) }
    }

    func doSomething(_ storm: Storm) {}

    func end(_ storm: Storm) { storm.close(handle) { handle.close(onClosed: $0) } }

    /// The start of every closure that must not come after a close.
    final func called(_ name: String, _ storm: Storm) {
        storm.expect(!handle.isClosing, "\(name) after close")
        storm.stepInside(handle.loop)
    }
}

final class StormTimer: StormHandle<TimerHandle> {
    private var mayFire = false
    private var due = Duration.zero

    init(_ storm: Storm, on loop: Loop) throws { super.init(storm, try TimerHandle(on: loop)) }

    override func doSomething(_ storm: Storm) {
        switch storm.choose(6) {
        case 0...2:
            let delay = Duration.microseconds(storm.choose(4_000))
            let interval = storm.luck(2) ? Duration.microseconds(500 + storm.choose(2_000)) : nil
            let started = Loop.hrtime
            storm.attempt(handle, "start") { () throws(UVError) in
                try handle.start(after: delay, every: interval) { [self] _ in
                    storm.expect(mayFire, "a stopped timer fired")
                    storm.expect(Loop.hrtime >= due, "a timer was early")
                    if self.handle.interval == nil { mayFire = false }
                    called("a timer", storm)
                }
                (mayFire, due) = (true, started + delay)
            }
        case 3: storm.attempt(handle, "setInterval") { () throws(UVError) in try handle.setInterval(.milliseconds(1)) }
        case 4:
            handle.stop()
            mayFire = false
        default:
            guard handle.interval != nil, due != .zero else { return }
            let restarted = Loop.hrtime, interval = handle.interval ?? .zero
            storm.attempt(handle, "restart") { () throws(UVError) in
                try handle.restart()
                (mayFire, due) = (true, restarted + interval)
            }
        }
    }
}

final class StormWakeup: StormHandle<WakeupHandle> {
    private final class Weak { weak var actor: StormWakeup? }

    init(_ storm: Storm, on loop: Loop) throws {
        let weak = Weak()
        super.init(storm, try WakeupHandle(on: loop) { _ in weak.actor?.called("a wake-up", storm) })
        weak.actor = self
    }

    override func doSomething(_ storm: Storm) {
        storm.expect(handle.waker.wake() != handle.isClosing, "wake of a handle that is \(handle)")
        handle.keepsLoopAlive = storm.luck(2)
    }
}

/// A listener and those who connect to it.
final class StormListener: StormHandle<TCPHandle> {
    private let address: SocketAddress

    init(_ storm: Storm, on loop: Loop) throws {
        weak var actor: StormListener?
        let listener = try TCPHandle.listening(on: loop) { _, connection in
            if let server = try? connection.get() { storm.add(StormEnd(storm, server)) }
            actor?.called("an accept", storm)
        }
        address = try listener.localAddress
        super.init(storm, listener)
        actor = self
    }

    override func doSomething(_ storm: Storm) {
        switch storm.choose(6) {
        case 0: handle.pauseAccepting()
        case 1: storm.attempt(handle, "resumeAccepting") { () throws(UVError) in try handle.resumeAccepting() }
        default:
            guard let client = try? TCPHandle(on: handle.loop) else { return storm.note("no client") }
            let end = StormEnd(storm, client), operation = storm.begin("connect")
            storm.add(end)
            storm.attempt(client, "connect", operation) { () throws(UVError) in
                try client.connect(to: address) { client, error in
                    operation.calls += 1
                    storm.expect(
                        error == nil || error?.code == .canceled || error?.code == .connectionRefused
                            || error?.code == .connectionReset, "\(error as Any)")
                    storm.expect(
                        !client.isClosing || error?.code == .canceled, "connect with \(error as Any) after close")
                    storm.stepInside(client.loop)
                }
            }
        }
    }
}
