/// Something that a loop calls at a deadline, once: see ``SleepQueue``. On the loop's thread only.
class TimerEntry {
    /// The deadline in nanoseconds of `Loop.hrtime`.
    final private(set) var time: Int64
    /// The slot of the ``TimerWheel`` that has the entry in its list; negative for none.
    final var place: Int16 = -1
    /// When a wait began: see `Loop.moment`. It fills a gap.
    final var began: UInt32 = 0
    /// The neighbours in the list. The wheel owns its entries, not their neighbours.
    final unowned(unsafe) var next: TimerEntry?
    final unowned(unsafe) var before: TimerEntry?

    init(deadline: Duration = .zero) { time = deadline.wholeNanoseconds }

    /// When the entry is due, on the clock of `Loop.hrtime`, rounded up to nanoseconds; three centuries are the most.
    ///
    /// Not to be changed while the entry waits in a queue.
    final var deadline: Duration {
        get { .nanoseconds(time) }
        set {
            assert(!isQueued, "the deadline of a queued entry was changed")
            time = newValue.wholeNanoseconds
        }
    }

    /// Whether the entry waits in a queue.
    final var isQueued: Bool { place >= 0 }

    /// Called when the entry is due, after it has left the queue. It may join the queue anew.
    func fire() {}
}

extension Duration {
    /// Rounded up; what is too large or too small becomes the largest or smallest number.
    var wholeNanoseconds: Int64 {
        let (quotient, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Int64(clamping: rest > 0 ? quotient + 1 : quotient)
    }
}
