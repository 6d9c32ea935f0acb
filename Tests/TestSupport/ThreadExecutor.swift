import Foundation

/// Runs the jobs of a task on one thread.
public final class ThreadExecutor: TaskExecutor, Sendable {
    private struct State {
        var jobs: [UnownedJob] = []
        var isStopped = false
    }

    private let condition = NSCondition()
    nonisolated(unsafe) private var state = State()

    public init() {
        let thread = Thread { [self] in run() }
        thread.stackSize = 8 << 20
        thread.start()
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        unsafe state.jobs.append(job)
        condition.unlock()
        condition.signal()
    }

    public func stop() {
        condition.lock()
        unsafe state.isStopped = true
        condition.unlock()
        condition.signal()
    }

    private func run() {
        // Threads made by the cooperative pool block signals, as the pool does.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
        while let job = next() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob? {
        condition.lock()
        defer { condition.unlock() }
        while unsafe state.jobs.isEmpty {
            if unsafe state.isStopped { return nil }
            condition.wait()
        }
        return unsafe state.jobs.removeFirst()
    }
}
