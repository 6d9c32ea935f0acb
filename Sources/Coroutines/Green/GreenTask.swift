public import AsyncUV

/// A green task: see ``Green/spawn(_:)``. Forgetting it does not end it. An error that nobody asks for is lost.
public struct GreenTask<Value: Sendable>: Sendable {
    @usableFromInline let task: Task<Void, Never>
    @usableFromInline let outcome: GreenOutcome<Value>

    // In the caller's module the compiler knows the value's type: fewer and smaller frames, so that a task that sleeps
    // fits into the first kilobyte that the runtime gives it.
    @inlinable
    init(_ body: @escaping @GreenActor () async throws -> Value) {
        let outcome = GreenOutcome<Value>()
        self.outcome = outcome
        let operation: @GreenActor @Sendable () async -> Void = {
            if Task.isCancelled { return outcome.cancel() }
            do { outcome.end(.success(try await body())) } catch { outcome.end(.failure(error)) }
        }
        task = Task(executorPreference: GreenActor.shared.loop, operation: operation)
    }

    /// Waits for the task's end.
    ///
    /// - Returns: Its value.
    /// - Throws: Its error; `CancellationError` when it was killed.
    ///
    /// Cancellation: the caller waits on; ``join(until:)`` does not.
    public var value: Value {
        get async throws { try await outcome.value }
    }

    /// Waits for the task's end, or for the deadline.
    ///
    /// - Returns: Its value or error; `nil` when the deadline came first.
    /// - Throws: `CancellationError` when the caller is cancelled; the task goes on.
    @GreenActor
    public func join(until deadline: LoopClock.Instant? = nil) async throws -> Result<Value, any Error>? {
        try await outcome.wait(until: deadline)
    }

    /// Ends the task at the next point where it waits, with `CancellationError`, unless it catches that and goes on. One that
    /// has not begun never begins; one that has ended keeps its result. It does not wait for the end, as gevent's does.
    public func kill() { task.cancel() }
}

/// What becomes of a green task.
@GreenActor
@usableFromInline
final class GreenOutcome<Value: Sendable> {
    @usableFromInline var result: Result<Value, any Error>?
    /// Most tasks end before anybody waits for them.
    @usableFromInline var followers: GreenFollowers?

    @inlinable
    nonisolated init() {}

    @inlinable
    func end(_ result: Result<Value, any Error>) {
        self.result = result
        followers?.tell()
    }

    /// Out of line: where an error is made, a task's frame has room for it.
    @inline(never)
    @usableFromInline
    func cancel() { end(.failure(CancellationError())) }

    var value: Value {
        get async throws {
            if result == nil { await follow().joining.join().wait() }
            guard let result else { fatalError("a green task's followers were told before its end") }
            return try result.get()
        }
    }

    func wait(until deadline: LoopClock.Instant?) async throws -> Result<Value, any Error>? {
        if result == nil {
            let joining = follow().joining
            _ = try await joining.wait(at: joining.join(), until: deadline)
        }
        return result
    }

    func follow() -> GreenFollowers {
        let followers = followers ?? GreenFollowers()
        self.followers = followers
        return followers
    }
}

/// Who is told of a green task's end.
@GreenActor
@usableFromInline
final class GreenFollowers {
    let joining = GreenWaiters()
    /// Called first, however the end comes: a task that is killed early enough never runs its body, nor its `defer`s.
    var onEnd: (@GreenActor () -> Void)?

    @usableFromInline
    func tell() {
        let call = onEnd.take()
        call?()
        joining.wakeAll()
    }
}
