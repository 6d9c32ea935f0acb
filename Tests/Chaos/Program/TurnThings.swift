import CChaos
import Synchronization
import UV

/// A timer.
final class TimerThing: Thing {
    private let timer: TimerHandle
    private var mayBeEarly = false

    init(_ round: CallbackRound, _ dice: inout Dice) throws(UVError) {
        timer = round.watch(try TimerHandle(on: round.loop))
        super.init(round, "timer")
        start(&dice)
    }

    private func start(_ dice: inout Dice) {
        var calls = 0
        let last = dice.number(1...4)
        let ending = dice.number(0...3)
        let delay = Duration.milliseconds(dice.number(-1...12))
        let interval = dice.oneIn(2) ? nil : Duration.milliseconds(dice.number(0...3))
        let begun = Loop.hrtime
        attempt("start after \(delay), every \(interval as Duration?)") { () throws(UVError) in
            try timer.start(after: delay, every: interval) { [self] timer in
                called("the timer")
                if calls == 0, !mayBeEarly, Loop.hrtime - begun < delay { fail("\(name) is early") }
                calls += 1
                guard calls >= last else { return }
                switch ending {
                case 0: close()
                case 1: timer.stop()
                case 2:
                    attempt("start inside") { () throws(UVError) in try timer.start(after: .zero) { _ in self.close() }
                    }
                default: attempt("last") { () throws(UVError) in try timer.setInterval(nil) }
                }
            }
            mayBeEarly = false
        }
    }

    override func act(_ dice: inout Dice) {
        switch dice.number(0...6) {
        case 0: timer.stop()
        case 1:
            // It is due after the interval then.
            mayBeEarly = true
            attempt("restart") { () throws(UVError) in try timer.restart() }
        case 2: attempt("interval") { () throws(UVError) in try timer.setInterval(.milliseconds(dice.number(-1...3))) }
        case 3: timer.keepsLoopAlive.toggle()
        case 4: _ = (timer.timeLeft, timer.interval, timer.isActive, timer.description)
        case 5: close()
        default: start(&dice)
        }
    }

    override func close() {
        isClosed = true
        end(timer)
    }
}

/// What is called once in each turn.
final class TurnThing: Thing {
    private let idle: IdleHandle
    private let prepare: PrepareHandle
    private let check: CheckHandle
    private var calls = 0
    private var most: Int

    init(_ round: CallbackRound, _ dice: inout Dice) throws(UVError) {
        idle = round.watch(try IdleHandle(on: round.loop))
        do throws(UVError) {
            prepare = round.watch(try PrepareHandle(on: round.loop))
            check = round.watch(try CheckHandle(on: round.loop))
        } catch {
            idle.close()
            throw error
        }
        most = dice.number(1...10)
        super.init(round, "turns")
        start()
    }

    private func start() {
        attempt("start") { () throws(UVError) in
            try idle.start { [self] _ in count("idle") }
            try prepare.start { [self] _ in count("prepare") }
            try check.start { [self] _ in count("check") }
        }
    }

    private func count(_ what: String) {
        called(what)
        calls += 1
        if calls >= most { close() }
    }

    override func act(_ dice: inout Dice) {
        switch dice.number(0...3) {
        case 0:
            idle.stop()
            check.stop()
        case 1: prepare.stop()
        case 2: start()
        default: close()
        }
    }

    override func close() {
        isClosed = true
        end(idle)
        end(prepare)
        end(check)
    }
}

/// A wake-up handle that threads wake.
final class WakeupThing: Thing {
    private var handle: WakeupHandle!
    private let wakes = Wakes()

    private final class Wakes: Sendable { let count = Atomic(0) }
    private var seen = 0

    override init(_ round: CallbackRound, _ kind: String) { super.init(round, kind) }

    convenience init(_ round: CallbackRound) throws(UVError) {
        self.init(round, "wake-up")
        handle = round.watch(
            try WakeupHandle(on: round.loop) { [unowned self] _ in
                called("the wake-up")
                seen = wakes.count.load(ordering: .acquiring)
            })
    }

    override func act(_ dice: inout Dice) {
        let wakes = wakes
        let waker = handle.waker
        switch dice.number(0...4) {
        case 0:
            wakes.count.add(1, ordering: .acquiringAndReleasing)
            if waker.wake() == isClosed { fail("\(name): a wake-up says \(!isClosed) after close: \(isClosed)") }
        case 1, 2:
            // From another thread, also while the handle is closed.
            let ticket = round.book.expect("\(name): work that wakes")
            do throws(UVError) {
                try WorkRequest.run(on: round.loop) {
                    for _ in 0..<20 { waker.wake() }
                } onDone: { _, result in
                    if case .failure(let error) = result { ticket.end(error) } else { ticket.end() }
                }
            } catch { ticket.callOff() }
        case 3: handle.keepsLoopAlive.toggle()
        default: close()
        }
    }

    override func close() {
        isClosed = true
        end(handle)
    }
}

/// A watch for signals, which this process sends to itself.
final class SignalThing: Thing {
    private let handle: SignalHandle

    init(_ round: CallbackRound) throws(UVError) {
        handle = round.watch(try SignalHandle(on: round.loop))
        super.init(round, "signal")
    }

    override func act(_ dice: inout Dice) {
        let signal = [Signal.user1, .user2, .windowChange, .kill, Signal(-1), Signal(1_000)][dice.number(0...5)]
        switch dice.number(0...5) {
        case 0...1:
            let ending = dice.number(0...2)
            let once = dice.oneIn(2)
            attempt("watch \(signal), once: \(once)") { () throws(UVError) in
                try handle.start(signal, once: once) { [self] handle, came in
                    called("the signal")
                    if came != signal { fail("\(name): \(came) instead of \(signal)") }
                    if ending == 0 { close() } else if ending == 1 { handle.stop() }
                }
            }
        case 2...3 where !round.keepers.isEmpty && [.user1, .user2, .windowChange].contains(signal):
            note("send \(signal)")
            chaos_signal(signal.rawValue)
        case 4: handle.stop()
        case 5 where dice.oneIn(3): close()
        default: break
        }
    }

    override func close() {
        isClosed = true
        end(handle)
    }
}

/// A watch for a socket of somebody else's.
final class PollThing: Thing {
    private let handle: PollHandle
    private var near: CInt = -1
    private var far: CInt = -1
    private let flow: Flow
    private var place: UInt64 = 0
    private var stream: CInt = -1

    init(_ round: CallbackRound) throws(UVError) {
        var (near, far): (CInt, CInt) = (-1, -1)
        if unsafe chaos_pair(&near, &far) != 0 { throw UVError(.tooManyOpenFiles, in: "pair") }
        do throws(UVError) {
            handle = round.watch(try PollHandle(on: round.loop, watching: .init(rawValue: near)))
        } catch {
            chaos_close(near)
            chaos_close(far)
            throw error
        }
        (self.near, self.far) = (near, far)
        flow = round.makeFlow() ?? Flow(0)
        super.init(round, "poll")
    }

    override func act(_ dice: inout Dice) {
        switch dice.number(0...7) {
        case 0...2:
            let events = PollHandle.Events(rawValue: CInt(dice.number(0...9)))
            let once = dice.oneIn(2)
            let last = dice.number(1...3)
            let closes = dice.oneIn(3)
            var calls = 0
            attempt("watch for \(events.rawValue)") { () throws(UVError) in
                try handle.start(events, once: once) { [self] handle, result in
                    called("readiness")
                    if case .failure(let error) = result { inspect(error, name) }
                    if near >= 0, unsafe chaos_take(near, &stream, &place) == -2 { fail("\(name): wrong bytes") }
                    calls += 1
                    if calls >= last, closes { close() } else if calls >= last { handle.stop() }
                }
            }
        case 3...4 where far >= 0: flow.sent += UInt64(chaos_send(far, flow.name, flow.sent, dice.size()))
        case 5 where far >= 0: chaos_half_close(far)
        case 6: handle.stop()
        case 7 where dice.oneIn(3): closeSockets(near: dice.oneIn(2))
        default: break
        }
    }

    private func closeSockets(near closesNear: Bool) {
        if closesNear, near >= 0 {
            chaos_close(near)
            near = -1
        } else if far >= 0 {
            chaos_close(far)
            far = -1
        }
    }

    override func close() {
        closeSockets(near: true)
        closeSockets(near: false)
        isClosed = true
        end(handle)
    }
}
