import Readiness
import Synchronization

/// Runs what blocks on a thread of its own: the pool that runs tests has two threads and must not lose them.
/// When it returns, nothing that `body` has captured is held by the thread any more.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    let task = Task(body)
    return try await withCheckedThrowingContinuation { continuation in
        do {
            try WorkerThread.start { continuation.resume(with: task.run()) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

private final class Task<Result: Sendable>: Sendable {
    private let body: Mutex<(@Sendable () throws -> Result)?>

    init(_ body: @escaping @Sendable () throws -> Result) { self.body = Mutex(body) }

    func run() -> Swift.Result<Result, any Error> {
        Swift.Result { try body.withLock { $0.take()! }() }
    }
}
