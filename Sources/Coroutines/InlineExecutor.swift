internal import AsyncUV
internal import CLinux
internal import Synchronization

/// Runs the body of a generator on the thread of whoever asks it for a value, inside that call.
///
/// A body that waits for something else is resumed by others: it goes on where the generator was made, on its loop or in
/// the global pool, until it yields.
@safe
final class InlineExecutor: TaskExecutor {
    /// The thread that is inside ``drive()``, 0 for none.
    private let driver = Atomic<UInt>(0)
    /// The job to run next. Touched by the driver only.
    private nonisolated(unsafe) var job: UnownedJob?
    private let home: EventLoop? = .current

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isDriver {
            unsafe self.job = job
        } else if let home {
            home.enqueue(job)
        } else {
            globalConcurrentExecutor.enqueue(job)
        }
    }

    /// Whether the caller is inside ``drive(_:)``.
    @inline(__always)
    var isDriver: Bool { driver.load(ordering: .relaxed) == clinux_thread_number() }

    /// Resumes the body and runs it until it yields, ends, or waits for something else.
    @inline(__always)
    func drive(_ resume: () -> Void) {
        let outer = driver.exchange(clinux_thread_number(), ordering: .relaxed)
        resume()
        while let next = unsafe job {
            unsafe job = nil
            unsafe next.runSynchronously(on: asUnownedTaskExecutor())
        }
        driver.store(outer, ordering: .relaxed)
    }
}
