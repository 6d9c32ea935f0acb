internal import UV

/// What waits for its time on a loop, tasks that sleep among it: a wheel over one alarm.
final class SleepQueue {
    private unowned let core: LoopCore
    private let resolution: TimerWheel.Resolution
    private let wheel: TimerWheel
    private let gauges: LoopGauges
    private var alarm: (any Alarm)?
    /// The tick for which the alarm is set. Not put off when an entry is removed: for one call in vain many starts are saved.
    private var armed = SleepQueue.never

    private static let never = Int64.max

    /// - Parameter resolution: Up to two milliseconds late with an alarm of the loop, or microseconds late with one of the kernel.
    init(_ core: LoopCore, _ resolution: TimerWheel.Resolution = .millisecond) {
        self.core = core
        self.resolution = resolution
        wheel = TimerWheel(resolution)
        gauges = core.gauges
    }

    /// Calls the entry at its deadline or a little later: in the order of the deadlines, equal ones in the order of their start.
    /// Until then the queue keeps the entry. A deadline that has passed is due in the next tick.
    ///
    /// - Throws: ``UVError`` when the loop has ended, `.tooManyOpenFiles` when there is no descriptor for an alarm of the kernel.
    func add(_ entry: TimerEntry) throws(UVError) {
        assert(!entry.isQueued, "an entry was added twice")
        // Nothing has told the wheel the time.
        if armed == Self.never { wheel.advance(to: Loop.time.wholeNanoseconds) }
        let tick = wheel.insert(entry)
        gauges.timers.add(1)
        guard tick < armed else { return }
        do throws(UVError) { try arm(for: tick) } catch {
            remove(entry)
            throw error
        }
    }

    /// Takes an entry out of the queue, if it is there.
    func remove(_ entry: TimerEntry) {
        if entry.isQueued { gauges.timers.add(-1) }
        wheel.remove(entry)
    }

    /// The alarm's handle, if it has been needed.
    var handle: Handle? { alarm?.handle }

    /// Drops what is left when the loop has ended. The handle is the loop's to close.
    func close() {
        wheel.removeAll()
        alarm?.close()
        armed = Self.never
    }

    private func arm(for tick: Int64) throws(UVError) {
        let alarm = if let alarm { alarm } else { try makeAlarm() }
        try alarm.set(to: wheel.time(of: tick))
        armed = tick
    }

    private func makeAlarm() throws(UVError) -> any Alarm {
        let onTime = { [unowned self] in wake() }
        let new: any Alarm
        if let twin = core.twin {
            new = try twin.makeAlarm(on: core.loop, onTime)
        } else {
            switch resolution {
            case .millisecond: new = try LoopAlarm(on: core.loop, onTime)
            case .microsecond: new = try KernelAlarm(on: core.loop, onTime)
            }
        }
        alarm = new
        return new
    }

    private func wake() {
        wheel.advance(to: Loop.time.wholeNanoseconds)
        // The alarm is set once, when all have been called.
        armed = .min
        while let entry = wheel.popDue() {
            gauges.timers.add(-1)
            entry.fire()
        }
        armed = Self.never
        // Only a closed alarm cannot be set: then the loop has ended, and everything that waits with it.
        if let next = wheel.nextTick { try? arm(for: next) }
    }
}

extension Duration {
    /// What is left until a deadline, for a timer. Centuries are not for timers of milliseconds: a year at most.
    var forTimer: Duration { min(max(.zero, self), .seconds(31_536_000)) }
}
