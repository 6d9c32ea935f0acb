internal import Synchronization
internal import UV

/// The deadline of a task: cancels it when its time has come, and when the loop ends.
///
/// The loop's thread has it in its lists. The task that waits for the other one may be elsewhere.
final class DeadlineWait: WaitLink {
    /// Why the task was cancelled.
    private enum Reason: Sendable {
        case deadline(UnderWay)
        case end(any Error)
    }

    let instant: LoopClock.Instant
    private let home: EventLoop
    private let reason = Mutex<Reason?>(nil)
    private var task: Task<Void, Never>?
    /// The task that waits for the other one, for reports.
    private var waiter: UInt = 0
    /// Whether the task has ended. On the loop's thread only.
    private var isOver = false

    init(_ caller: StaticString, until deadline: LoopClock.Instant, on loop: EventLoop) {
        instant = deadline
        home = loop
        super.init(caller)
        self.deadline = deadline.time
    }

    /// Waits for the end of a task that runs a body on the loop, in a task that is hosted there. The deadline and the caller's
    /// cancellation cancel it.
    @inline(__always)
    nonisolated(nonsending) func wait(for task: Task<Void, Never>, _ body: LentBody) async {
        self.task = task
        start()
        try? await Suspension<Void>.wait(cancelling: self, on: home) {
            waiter = $0.task
            body.keep($0)
        }
        // The loop may have ended, and this be another thread.
        if home.isCurrent { end() }
    }

    /// As the other one, in any task.
    @inline(never)
    nonisolated(nonsending) func waitElsewhere(for task: Task<Void, Never>) async {
        self.task = task
        let bound = LoopBound(self)
        let home = home
        if !home.post({ bound.open(on: home).start() }) { cancel(.end(home.ended(operation))) }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        // A loop that has ended has let go of it already.
        home.post { bound.open(on: home).end() }
    }

    /// What the caller throws when the body has ended with a cancellation; `nil` if this has not caused it.
    func error(after timeout: Duration) -> (any Error)? {
        switch reason.withLock({ $0 }) {
        case .deadline(let underWay): UVError(.timedOut, in: "\(operation)(\(timeout))", of: underWay.text)
        case .end(let error): error
        case nil: nil
        }
    }

    override var waitingTask: UInt { waiter }

    private func cancel(_ reason: Reason) {
        // First the reason, because the task may end in this very call, on another thread.
        self.reason.withLock { $0 = reason }
        task?.cancel()
    }

    override func taskWasCancelled(on loop: EventLoop) { task?.cancel() }

    // MARK: On the loop's thread

    private func start() {
        let core = home.core.open(on: home)
        if isOver { return }
        do throws(UVError) {
            if core.isEnding { throw home.ended(operation) }
            try core.sleeps.add(self)
            began = core.loop.moment
            core.waits.insert(self)
        } catch { cancel(.end(error)) }
    }

    private func end() {
        isOver = true
        home.core.open(on: home).sleeps.remove(self)
        unlink()
    }

    override func fire() {
        unlink()
        let underWay = UnderWay()
        underWay.note { cancel(.deadline(underWay)) }
    }

    override func give(up error: any Error) {
        end()
        cancel(.end(error))
    }
}
