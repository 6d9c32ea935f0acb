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
/// A green task gives way to the others wherever it has to wait: for a sleep, anything of AsyncUV, an empty ``GreenQueue``.
/// One whose reads and writes are all done at once gives way now and then; one that always finds something in the queue lets
/// its turn pass with a sleep of zero. Python's gevent makes blocking calls give way by replacing them ("monkey patching").
/// Swift has no honest counterpart: a call that blocks holds up all green tasks. Use the async call instead, or
/// `GreenActor.shared.loop.offload`, which runs it on a thread made for that:
///
/// ```swift
/// let digest = try await GreenActor.shared.loop.offload { slowDigest(of: data) }
/// ```
///
/// The order of switches is defined. Tasks run in the order in which they became ready, each until it waits: ready is who
/// was spawned, woken, or let its turn pass with a sleep of zero. Sleeps end in the order of their deadlines, equal ones in
/// the order in which they began. ``GreenEvent/set()`` and the end of a task wake in the order of coming; semaphore, pool and
/// queue hand over to who came first, and nobody gets in between. What is spawned or woken from outside of the loop becomes ready when the
/// loop next looks, in the order in which it came.
public enum Green {
    /// Starts a green task: it begins after those that are ready before it. When the caller is a green task, too, it begins
    /// when the caller gives way; for others it may begin at once.
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
    @inlinable
    @discardableResult
    public static func joinAll<Value: Sendable>(
        _ tasks: [GreenTask<Value>], timeout: Duration? = nil
    ) async throws -> [Result<Value, any Error>?] {
        let deadline = timeout.map { LoopClock.Instant.now.advanced(by: $0) }
        var isOver = false
        var results: [Result<Value, any Error>?] = []
        results.reserveCapacity(tasks.count)
        for task in tasks {
            // Most have ended while the first ones were waited for.
            if task.outcome.result != nil || isOver {
                results.append(task.outcome.result)
            } else {
                let result = try await task.join(until: deadline)
                isOver = result == nil
                results.append(result)
            }
        }
        return results
    }

    /// Gives way to others for at least that long; for a green task, zero lets each that is ready run once. For others,
    /// which are not on the loop, zero is `Task.yield`.
    ///
    /// - Throws: `CancellationError` when the task is killed.
    @inlinable
    @inline(__always)
    public static func sleep(_ duration: Duration) async throws {
        try await GreenActor.shared.loop.sleep(until: .now.advanced(by: duration))
    }
}
