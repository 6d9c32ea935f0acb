/// Something that a loop's queue of timers calls at its deadline, once. On the loop's thread only.
class TimerEntry {
    /// Not to be changed while the entry is in the queue.
    final var deadline: Duration
    /// Given by the queue: the place in its heap, negative for none, and the number by which entries with equal deadlines keep
    /// their order.
    final var place = -1
    final var number: UInt64 = 0

    init(deadline: Duration = .zero) { self.deadline = deadline }

    /// Whether the entry waits in a queue.
    final var isQueued: Bool { place >= 0 }

    /// Called when the deadline has come, after the entry has left the queue. It may join the queue anew.
    func fire() {}

    final func isBefore(_ other: TimerEntry) -> Bool {
        deadline != other.deadline ? deadline < other.deadline : number < other.number
    }
}
