internal import AsyncUV

/// Lets so many green tasks in at a time. First come, first served.
@GreenActor
public final class GreenSemaphore {
    /// How many more may come in now.
    public private(set) var available: Int
    private let waiting = GreenWaiters()

    /// Makes a semaphore that nobody is in yet.
    ///
    /// - Parameter count: How many at a time.
    public nonisolated init(_ count: Int) { available = count }

    /// Comes in, when there is room. If there is, nobody else runs before it returns.
    ///
    /// - Throws: `CancellationError` when the task is killed, or was; it is not in then.
    public func acquire() async throws {
        try Task.checkCancellation()
        if available > 0 {
            available -= 1
        } else {
            // Who leaves hands over its place.
            _ = try await waiting.wait(at: waiting.join())
        }
    }

    /// Goes out: once for each ``acquire()``, not more often.
    public func release() {
        if !waiting.wakeOne() { available += 1 }
    }

    /// Runs code inside.
    ///
    /// - Throws: What the code throws, or ``acquire()``.
    public func withPermit<Value: Sendable>(_ body: @GreenActor () async throws -> Value) async throws -> Value {
        try await acquire()
        defer { release() }
        return try await body()
    }
}
