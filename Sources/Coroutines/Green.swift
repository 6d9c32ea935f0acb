public import AsyncUV

/// Coroutines in the style of gevent: spawned, switched whenever one waits, joined.
///
/// ```swift
/// let tasks = (1...3).map { number in
///     Green.spawn { try await Green.sleep(.milliseconds(number)); return number }
/// }
/// let results = try await Green.joinAll(tasks)
/// ```
///
/// A green task gives way to the others wherever it awaits: a sleep, anything of AsyncUV, a ``GreenQueue``. Python's
/// gevent makes blocking calls give way by replacing them ("monkey patching"). Swift has no honest counterpart: a call
/// that blocks holds up all green tasks. Use the async call instead, or `GreenActor.shared.loop.offload`, which runs it in
/// the thread pool.
public enum Green {
    /// Starts a green task: it begins after those that were spawned before, when the caller gives way.
    @inlinable
    @discardableResult
    public static func spawn<Value: Sendable>(
        _ body: @escaping @GreenActor () async throws -> Value
    ) -> GreenTask<Value> {
        GreenTask(body)
    }

    /// Waits until all tasks have ended, or the time is over.
    ///
    /// - Returns: What became of each, in the order of the tasks; `nil` for one that has not ended in time and goes on.
    /// - Throws: `CancellationError` when the caller is cancelled; the tasks go on.
    @GreenActor
    @discardableResult
    public static func joinAll<Value: Sendable>(
        _ tasks: [GreenTask<Value>], timeout: Duration? = nil
    ) async throws -> [Result<Value, any Error>?] {
        let deadline = timeout.map { LoopClock.Instant.now.advanced(by: $0) }
        var results: [Result<Value, any Error>?] = []
        results.reserveCapacity(tasks.count)
        for task in tasks { results.append(try await task.join(until: deadline)) }
        return results
    }

    /// Gives way to others for at least that long; zero lets each of them run once.
    ///
    /// - Throws: `CancellationError` when the task is killed.
    @inlinable
    public static func sleep(_ duration: Duration) async throws {
        try await GreenActor.shared.loop.sleep(until: .now.advanced(by: duration))
    }
}
