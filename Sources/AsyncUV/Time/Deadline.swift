internal import UV

/// Runs a body that must end in time: it is cancelled at the deadline.
///
/// The body runs in a task of its own, where the caller is: on the caller's actor, with the caller's executor and task-local
/// values. So it may use and change whatever the caller may, which waits meanwhile.
///
/// - Parameter loop: The loop whose timers are used; the body runs on it only if the caller does.
/// - Returns: The body's value; also one that came in spite of a cancellation.
/// - Throws: ``UVError`` with `.timedOut` when the deadline ended the body, `CancellationError` when the caller was
///   cancelled, else the body's error. The first names the time that there was, counted from the call, and what the
///   body was waiting in: `timed out (ETIMEDOUT) in withDeadline(5.0 seconds) of read from 192.0.2.1:80`. ``UVError`` with
///   `.canceled` when the end of the loop ended the body.
///
/// Cancellation cancels the body. It returns when the body has, which should not take long in either case.
@inlinable
public nonisolated(nonsending) func withDeadline<Value>(
    _ deadline: LoopClock.Instant, on loop: EventLoop = .current ?? .shared,
    _ body: nonisolated(nonsending) () async throws -> Value
) async throws -> Value {
    var value: Value?
    try await runInTime("withDeadline", nil, deadline, on: loop, isolation: #isolation) { value = try await body() }
    guard let value else { fatalError("a body has ended without a value") }
    return value
}

/// Runs a body that must end in time. Otherwise as ``withDeadline(_:on:_:)``.
///
/// - Throws: As there; the error says `withTimeout(5.0 seconds)`.
@inlinable
public nonisolated(nonsending) func withTimeout<Value>(
    _ timeout: Duration, on loop: EventLoop = .current ?? .shared,
    _ body: nonisolated(nonsending) () async throws -> Value
) async throws -> Value {
    var value: Value?
    try await runInTime("withTimeout", timeout, nil, on: loop, isolation: #isolation) { value = try await body() }
    guard let value else { fatalError("a body has ended without a value") }
    return value
}

/// What both do, for bodies that keep their value themselves: generic code of another module would ask for metadata at each
/// step. One of the two times is given.
@usableFromInline
func runInTime(
    _ caller: StaticString, _ timeout: Duration?, _ deadline: LoopClock.Instant?, on loop: EventLoop,
    isolation: isolated (any Actor)?, _ body: nonisolated(nonsending) () async throws -> Void
) async throws {
    let now = loop.now
    let wait = DeadlineWait(caller, until: deadline ?? now.advanced(by: timeout ?? .zero), on: loop)
    let isHosted = loop.hostsCurrentTask
    // The task has let go of the body when it ends, and we wait for its end: this checks it.
    let error = await withoutActuallyEscaping(body) { body in
        let lent = LentBody(body, isCancelled: RuntimeShortcuts.isCancelled)
        let task = Task(executorPreference: isHosted ? loop : executorOfCurrentTask()) {
            if let isolation { await lent.run(in: isolation) } else { await lent.run() }
        }
        if isHosted {
            await wait.wait(for: task, lent)
        } else {
            await wait.waitElsewhere(for: task)
        }
        return lent.error
    }
    guard let error else { return }
    guard error is CancellationError else { throw error }
    try checkCancellation()
    throw wait.error(after: timeout ?? (wait.instant - now)) ?? error
}
