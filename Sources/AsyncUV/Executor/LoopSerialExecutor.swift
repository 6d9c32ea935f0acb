/// The executor of actors that live on a loop: see ``LoopActor``.
///
/// Its jobs share one queue with those of the loop's tasks. When the loop has ended the jobs run elsewhere, one at a time. An
/// actor that uses the executor has to keep the loop as well, because the executor does not.
public final class LoopSerialExecutor: SerialExecutor {
    unowned let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    /// Puts a job of an actor into the loop's queue. Called by the runtime, on any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.enqueue(loop.prefersLoop(job) ? .taskInActor(job) : .actor(job))
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    /// Whether the caller runs on the loop's thread, or as a late job of one of its actors.
    public func isIsolatingCurrentContext() -> Bool? { loop.isCurrent || loop.lateJobs.isCurrent }

    public func checkIsolated() {
        if isIsolatingCurrentContext() != true {
            fatalError(
                "code of an actor on an EventLoop runs off that loop: await a call of the actor instead of assuming to be on it"
            )
        }
    }
}
