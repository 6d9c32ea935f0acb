internal import UV

/// Runs an operation that must end in time: it is cancelled at the deadline.
///
/// - Returns: The operation's value; also one that came in spite of a cancellation.
/// - Throws: ``UVError`` with `.timedOut` when the deadline ended the operation, `CancellationError` when the caller was
///   cancelled, else the operation's error. The first names the time that there was, counted from the call, and what the
///   operation was waiting in: `timed out (ETIMEDOUT) in withDeadline(5.0 seconds) of read`.
///
/// Cancellation cancels the operation. It returns when the operation has, which should not take long in either case.
public func withDeadline<Value: Sendable>(
    _ deadline: LoopClock.Instant, on loop: EventLoop = .current ?? .shared,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await with("withDeadline", deadline - .now, until: deadline, on: loop, operation)
}

/// Runs an operation that must end in time. Otherwise as ``withDeadline(_:on:_:)``.
///
/// - Throws: As there; the error says `withTimeout(5.0 seconds)`.
public func withTimeout<Value: Sendable>(
    _ timeout: Duration, on loop: EventLoop = .current ?? .shared,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await with("withTimeout", timeout, until: .now.advanced(by: timeout), on: loop, operation)
}

private func with<Value: Sendable>(
    _ caller: StaticString, _ timeout: Duration, until deadline: LoopClock.Instant, on loop: EventLoop,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Ended<Value>.self) { group in
        group.addTask { .operation(try await operation()) }
        group.addTask {
            do { try await loop.sleep(until: deadline) } catch { return .sleep(error) }
            return .sleep(nil)
        }
        defer { group.cancelAll() }
        var reason: (any Error)?
        do {
            while let end = try await group.next() {
                switch end {
                case .operation(let value): return value
                case .sleep(let error?):
                    reason = error
                    group.cancelAll()
                case .sleep(nil):
                    let underWay = UnderWay.named { group.cancelAll() }
                    reason = UVError(.timedOut, in: "\(caller)(\(timeout))", of: underWay)
                }
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
    /// The deadline has come, or the sleep failed before.
    case sleep((any Error)?)
}
