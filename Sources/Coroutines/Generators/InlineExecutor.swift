internal import AsyncUV
internal import CPlatform
internal import DequeModule
internal import Synchronization

/// Runs the body of a generator on the thread of whoever asks it for a value, inside that call.
///
/// A body that has waited for something else is resumed by another thread. It then goes on, until it yields, on the loop where
/// the generator was made, or in the global pool if it was not made on a loop.
@safe
final class InlineExecutor: TaskExecutor {
    /// The thread that is inside ``drive(_:)``, 0 for none.
    private let driver = Atomic<UInt>(0)
    /// The jobs to run next: the body's, and rarely those of its child tasks. Used only by the thread inside ``drive(_:)``.
    @exclusivity(unchecked) private nonisolated(unsafe) var job: UnownedJob?
    @exclusivity(unchecked) private nonisolated(unsafe) var more: Deque<UnownedJob> = []
    private let home: EventLoop? = .current

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isDriver {
            if unsafe self.job == nil { unsafe self.job = job } else { unsafe more.append(job) }
        } else if let home {
            home.enqueue(job)
        } else {
            globalConcurrentExecutor.enqueue(job)
        }
    }

    /// Whether the caller is inside ``drive(_:)``.
    @inline(__always)
    var isDriver: Bool { driver.load(ordering: .relaxed) == cplatform_thread_number() }

    /// Resumes the body and runs it until it yields, ends, or waits for something else. It is never called inside itself, because
    /// the consumer runs only when the body has given way.
    @inline(__always)
    func drive(_ resume: () -> Void) {
        driver.store(cplatform_thread_number(), ordering: .relaxed)
        resume()
        while let next = unsafe job {
            unsafe job = unsafe more.isEmpty ? nil : more.popFirst()
            unsafe next.runSynchronously(on: asUnownedTaskExecutor())
        }
        driver.store(0, ordering: .relaxed)
    }
}
