/// The least that a generator on an inline executor can be: no errors, no end, one thread, one use at a time.
final class BareGenerator: @unchecked Sendable {
    /// Runs a job in ``drive(_:)``, right after it was enqueued.
    private final class Executor: TaskExecutor, @unchecked Sendable {
        @exclusivity(unchecked) private var job: UnownedJob?

        func enqueue(_ job: consuming ExecutorJob) { self.job = UnownedJob(job) }

        func drive() {
            guard let next = job.take() else { return }
            next.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    struct Yielder: Sendable {
        fileprivate let generator: BareGenerator

        func callAsFunction(_ value: Int) async {
            generator.value = value
            await _unsafeInheritExecutor_withUnsafeContinuation { generator.waiting = $0 }
        }
    }

    private let executor = Executor()
    @exclusivity(unchecked) private var waiting: UnsafeContinuation<Void, Never>?
    @exclusivity(unchecked) private var value = 0

    init(_ body: @escaping @Sendable (Yielder) async -> Void) {
        let yielder = Yielder(generator: self)
        Task(executorPreference: executor) { await body(yielder) }
    }

    func next() -> Int {
        waiting.take()?.resume()
        executor.drive()
        return value
    }
}
