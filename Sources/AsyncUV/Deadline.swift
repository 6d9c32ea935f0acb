internal import UV

/// Runs an operation that must end in time: it is cancelled at the deadline.
///
/// - Returns: The operation's value; also one that came in spite of the cancellation.
/// - Throws: ``UVError`` with `.timedOut` when the operation did not end with a value before it or in spite of it,
///   the operation's own error when it failed before the deadline.
public func withDeadline<Value: Sendable>(
    _ deadline: LoopClock.Instant, on loop: EventLoop = .current ?? .shared,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await loop.sleep(until: deadline)
            return nil
        }
        defer { group.cancelAll() }
        if case .some(.some(let value)) = try await group.next() { return value }
        group.cancelAll()
        do {
            if case .some(.some(let value)) = try await group.next() { return value }
        } catch {}
        try Task.checkCancellation()
        throw UVError(.timedOut, in: "an operation with a deadline")
    }
}

/// Runs an operation that must end in time. Otherwise as ``withDeadline(_:on:_:)``.
public func withTimeout<Value: Sendable>(
    _ timeout: Duration, on loop: EventLoop = .current ?? .shared,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withDeadline(.now.advanced(by: timeout), on: loop, operation)
}
