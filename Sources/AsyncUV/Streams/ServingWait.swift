/// A call of `serve` that takes one connection after the other. One link in the loop's list, and one handler of cancellation, for all
/// of its waits: a wait of its own for each connection would cost a fifth of what a short connection costs. On the loop's thread
/// only.
final class ServingWait: WaitLink {
    private var task = Suspension<Void>()
    /// Why no more connections are to be taken: the task was cancelled, or the loop ends.
    private var reason: (any Error)?

    init() { super.init("accept") }

    var hasEnded: Bool { reason != nil }

    func check() throws {
        if let reason { throw reason }
    }

    func suspend(_ task: Suspension<Void>) { self.task = task }

    override var waitingTask: UInt { task.task }

    func wake() { task.resume(returning: ()) }

    override func give(up error: any Error) {
        unlink()
        if reason == nil { reason = error }
        wake()
    }
}
