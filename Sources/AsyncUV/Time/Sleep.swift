/// A task that sleeps: a wait that is an entry of the queue, so that a cancelled one leaves it at once.
final class Sleep: Wait<Void> {
    private unowned let queue: SleepQueue

    init(until deadline: Duration, in queue: SleepQueue) {
        self.queue = queue
        super.init("sleep")
        self.deadline = deadline
    }

    override func fire() { finish(.success(())) }

    override func stop() { queue.remove(self) }
}
