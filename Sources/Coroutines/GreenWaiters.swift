internal import AsyncUV
internal import DequeModule

/// Green tasks that wait for the same thing, in the order in which they came.
@GreenActor
final class GreenWaiters {
    @GreenActor
    private final class Waiter {
        private var continuation: CheckedContinuation<Bool, any Error>?

        init() {}

        func wait(_ continuation: CheckedContinuation<Bool, any Error>) { self.continuation = continuation }

        /// Ends the wait; false when it has ended.
        func end(_ result: Result<Bool, any Error>) -> Bool {
            guard let waiting = continuation.take() else { return false }
            waiting.resume(with: result)
            return true
        }
    }

    private var waiting: Deque<Waiter> = []

    nonisolated init() {}

    /// Wakes who came first; false when nobody waits.
    @discardableResult
    func wakeOne() -> Bool {
        while let waiter = waiting.popFirst() {
            if waiter.end(.success(true)) { return true }
        }
        return false
    }

    func wakeAll() { while wakeOne() {} }

    /// Waits to be woken.
    ///
    /// - Returns: False when the deadline came first.
    /// - Throws: `CancellationError` at once when the task is killed.
    func wait(until deadline: LoopClock.Instant? = nil) async throws -> Bool {
        try Task.checkCancellation()
        let waiter = Waiter()
        let alarm = deadline.map { deadline in
            Task(executorPreference: GreenActor.shared.loop) {
                try await GreenActor.shared.loop.sleep(until: deadline)
                await self.end(waiter, .success(false))
            }
        }
        defer { alarm?.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiter.wait(continuation)
                waiting.append(waiter)
            }
        } onCancel: {
            Task(executorPreference: GreenActor.shared.loop) { await self.end(waiter, .failure(CancellationError())) }
        }
    }

    private func end(_ waiter: Waiter, _ result: Result<Bool, any Error>) {
        if waiter.end(result) { waiting.removeAll { $0 === waiter } }
    }
}
