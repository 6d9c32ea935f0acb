internal import UV

/// Runs an operation that must end in time: it is cancelled at the deadline.
///
/// - Returns: The operation's value; also one that came in spite of a cancellation.
/// - Throws: ``UVError`` with `.timedOut` when the deadline ended the operation, `CancellationError` when the caller was
///   cancelled, else the operation's error.
///
/// Cancellation cancels the operation. It returns when the operation has, which should not take long in either case.
public func withDeadline<Value: Sendable>(
    _ deadline: LoopClock.Instant, on loop: EventLoop = .current ?? .shared,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Ended<Value>.self) { group in
        group.addTask { .operation(try await operation()) }
        group.addTask {
            do { try await loop.sleep(until: deadline) } catch { return .sleep(error) }
            return .sleep(UVError(.timedOut, in: "an operation with a deadline"))
        }
        defer { group.cancelAll() }
        var reason: (any Error)?
        do {
            while let end = try await group.next() {
                switch end {
                case .operation(let value): return value
                case .sleep(let error): reason = error
                }
                group.cancelAll()
            }
        } catch let error as CancellationError {
            try Task.checkCancellation()
            throw reason ?? error
        }
        throw CancellationError()
    }
}

/// Which of the two children of a deadline has ended.
private enum Ended<Value: Sendable>: Sendable {
    case operation(Value)
    case sleep(any Error)
}

/// Runs an operation that must end in time. Otherwise as ``withDeadline(_:on:_:)``.
public func withTimeout<Value: Sendable>(
    _ timeout: Duration, on loop: EventLoop = .current ?? .shared,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withDeadline(.now.advanced(by: timeout), on: loop, operation)
}
