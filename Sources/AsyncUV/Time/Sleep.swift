/// A task that sleeps: a wait that knows its place in the queue, so that a cancelled one leaves it at once.
final class Sleep: Wait<Void> {
    let deadline: Duration
    private unowned let queue: SleepQueue
    /// Given by the queue: the place in its heap, and the number by which sleeps with equal deadlines keep their order.
    var place = 0
    var number: UInt64 = 0

    init(until deadline: Duration, in queue: SleepQueue) {
        self.deadline = deadline
        self.queue = queue
        super.init("sleep")
    }

    func isBefore(_ other: Sleep) -> Bool {
        deadline != other.deadline ? deadline < other.deadline : number < other.number
    }

    override func stop() { queue.remove(self) }
}
