internal import UV

/// What waits for its time on a loop, tasks that sleep among it: a wheel over one timer.
final class SleepQueue {
    private unowned let core: LoopCore
    private let wheel = TimerWheel(.millisecond)
    private(set) var timer: TimerHandle?
    /// The tick for which the timer is set. Not put off when an entry is removed: for one call in vain many starts are saved.
    private var armed = SleepQueue.never
    private lazy var onFire: (TimerHandle) -> Void = { [unowned self] _ in wake() }

    private static let never = Int64.max

    init(_ core: LoopCore) { self.core = core }

    /// Calls the entry at its deadline or a little later: in the order of the deadlines, equal ones in the order of their start.
    /// Until then the queue keeps the entry. A deadline that has passed is due in the next millisecond.
    ///
    /// - Throws: ``UVError`` when the loop has ended.
    func add(_ entry: TimerEntry) throws(UVError) {
        assert(!entry.isQueued, "an entry was added twice")
        // Nothing has told the wheel the time.
        if armed == Self.never { wheel.advance(to: Loop.hrtime.wholeNanoseconds) }
        let tick = wheel.insert(entry)
        guard tick < armed else { return }
        do throws(UVError) { try arm(for: tick) } catch {
            wheel.remove(entry)
            throw error
        }
    }

    /// Takes an entry out of the queue, if it is there.
    func remove(_ entry: TimerEntry) { wheel.remove(entry) }

    /// Drops what is left when the loop has ended.
    func removeAll() { wheel.removeAll() }

    private func arm(for tick: Int64) throws(UVError) {
        if timer == nil {
            timer = try TimerHandle(on: core.loop)
            timer?.isInternal = true
        }
        try timer?.start(atMillisecond: UInt64(tick), onFire)
        armed = tick
    }

    private func wake() {
        wheel.advance(to: Loop.hrtime.wholeNanoseconds)
        // The timer is set once, when all have been called.
        armed = .min
        while let entry = wheel.popDue() { entry.fire() }
        armed = Self.never
        // Only a closed timer cannot be started: then the loop has ended, and everything that waits with it.
        if let next = wheel.nextTick { try? arm(for: next) }
    }
}

extension Duration {
    /// What is left until a deadline, for a timer. Centuries are not for timers of milliseconds: a year at most.
    var forTimer: Duration { min(max(.zero, self), .seconds(31_536_000)) }
}
