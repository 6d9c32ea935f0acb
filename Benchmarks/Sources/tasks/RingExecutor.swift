/// The least that an executor can be: a ring of jobs, run one after the other on the thread that calls ``run(_:)``. No
/// IO, no timers, no other threads.
final class RingExecutor: TaskExecutor, @unchecked Sendable {
    private static let mask = (1 << 18) - 1
    @exclusivity(unchecked) private let ring = UnsafeMutablePointer<UnownedJob>.allocate(capacity: mask + 1)
    @exclusivity(unchecked) private var head = 0
    @exclusivity(unchecked) private var tail = 0

    deinit { ring.deallocate() }

    func enqueue(_ job: consuming ExecutorJob) {
        (ring + (tail & Self.mask)).initialize(to: UnownedJob(job))
        tail &+= 1
    }

    /// Runs a task, and those that it starts, to their ends.
    func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        var result: Result<Value, any Error>?
        nonisolated(unsafe) let box = withUnsafeMutablePointer(to: &result) { $0 }
        Task(executorPreference: self) {
            do { box.pointee = .success(try await body()) } catch { box.pointee = .failure(error) }
        }
        let executor = asUnownedTaskExecutor()
        while head != tail {
            let job = ring[head & Self.mask]
            head &+= 1
            job.runSynchronously(on: executor)
        }
        return try result!.get()
    }
}
