internal import AsyncUV

/// Spawns green tasks, so many at a time. Their errors are for those who ask the tasks.
@GreenActor
public final class GreenPool {
    private let seats: GreenSemaphore
    private var running = 0
    private let idle = GreenEvent()

    /// Makes a pool in which nothing runs yet.
    ///
    /// - Parameter size: The most tasks at a time, at least 1.
    public nonisolated init(size: Int) { seats = GreenSemaphore(max(1, size)) }

    /// Starts a green task, when there is room.
    ///
    /// - Throws: `CancellationError` when the caller is killed while it waits, or was; nothing was started.
    @discardableResult
    public func spawn<Value: Sendable>(
        _ body: @escaping @GreenActor () async throws -> Value
    ) async throws -> GreenTask<Value> {
        try await seats.acquire()
        running += 1
        idle.clear()
        let task = GreenTask(body)
        task.outcome.follow().onEnd = { [self] in ended() }
        return task
    }

    private func ended() {
        running -= 1
        seats.release()
        if running == 0 { idle.set() }
    }

    /// Waits until no task runs.
    ///
    /// - Throws: `CancellationError` when the caller is killed; the tasks go on. What the tasks throw is not thrown here.
    public func join() async throws {
        // Others may have been spawned since it was woken.
        while running > 0 { try await idle.wait() }
    }
}
