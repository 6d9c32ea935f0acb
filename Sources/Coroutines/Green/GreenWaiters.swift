internal import AsyncUV
internal import DequeModule

/// Green tasks that wait for the same thing, in the order in which they came.
@GreenActor
final class GreenWaiters {
    private var waiting: Deque<GreenPlace> = []
    /// How many of them have given up.
    private var left = 0

    nonisolated init() {}

    /// Joins the queue: from now on a wake-up is not missed, even before the wait begins.
    ///
    /// - Parameter onWake: Called in the wake-up itself, before anybody else runs: what is handed over changes hands here.
    func join(onWake: (() -> Void)? = nil) -> GreenPlace {
        let place = GreenPlace(onWake)
        waiting.append(place)
        return place
    }

    /// Wakes who came first; false when nobody waits.
    @discardableResult
    func wakeOne() -> Bool {
        while let place = waiting.popFirst() {
            if place.end(.success(true)) { return true }
            left -= 1
        }
        return false
    }

    func wakeAll() { while wakeOne() {} }

    /// Waits to be woken; the place is one of this queue.
    ///
    /// - Returns: False when the deadline came first.
    /// - Throws: `CancellationError` at once when the task is killed.
    func wait(at place: GreenPlace, until deadline: LoopClock.Instant? = nil) async throws -> Bool {
        let loop = GreenActor.shared.loop
        let alarm = deadline.map { deadline in
            Task(executorPreference: loop) {
                try await loop.sleep(until: deadline)
                await self.leave(place, .success(false))
            }
        }
        defer { alarm?.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { place.wait($0) }
        } onCancel: {
            Task(executorPreference: loop) { await self.leave(place, .failure(CancellationError())) }
        }
    }

    private func leave(_ place: GreenPlace, _ result: Result<Bool, any Error>) {
        guard place.end(result) else { return }
        left += 1
        // Not one by one: a crowd that gives up would take the square of its number.
        guard left > 64, left > waiting.count / 2 else { return }
        waiting.removeAll { $0.isOver }
        left = 0
    }
}

/// One task's place in a queue of ``GreenWaiters``. It keeps a wake-up that comes before its task waits: a caller that
/// prefers another loop goes through the queue of jobs on its way into each `await`.
@GreenActor
final class GreenPlace {
    private var continuation: CheckedContinuation<Bool, any Error>?
    private var result: Result<Bool, any Error>?
    private var onWake: (() -> Void)?

    fileprivate init(_ onWake: (() -> Void)?) { self.onWake = onWake }

    fileprivate var isOver: Bool { result != nil }

    /// Waits for its end, also when the task is killed.
    func wait() async { _ = try? await withCheckedThrowingContinuation { wait($0) } }

    fileprivate func wait(_ continuation: CheckedContinuation<Bool, any Error>) {
        if let result { continuation.resume(with: result) } else { self.continuation = continuation }
    }

    /// Ends the wait; false when it has ended.
    fileprivate func end(_ result: Result<Bool, any Error>) -> Bool {
        if self.result != nil { return false }
        self.result = result
        let (waiting, call) = (continuation.take(), onWake.take())
        waiting?.resume(with: result)
        if case .success(true) = result { call?() }
        return true
    }
}
