public import AsyncUV

/// A green task: see ``Green/spawn(_:)``. Dropping it does not end it.
public final class GreenTask<Value: Sendable>: Sendable {
    private let task: Task<Value, any Error>
    private let state: State

    @GreenActor
    private final class State {
        var isOver = false
        let joining = GreenWaiters()
        nonisolated init() {}

        func end() {
            isOver = true
            joining.wakeAll()
        }
    }

    init(_ body: @escaping @GreenActor () async throws -> Value) {
        let state = State()
        self.state = state
        task = Task(executorPreference: GreenActor.shared.loop) { try await Self.run(body, state) }
    }

    @GreenActor
    private static func run(
        _ body: @GreenActor () async throws -> Value, _ state: State
    ) async throws -> Value {
        defer { state.end() }
        try Task.checkCancellation()
        return try await body()
    }

    /// Waits for the task's end.
    ///
    /// - Returns: Its value.
    /// - Throws: Its error; `CancellationError` when it was killed.
    public var value: Value { get async throws { try await task.value } }

    /// Waits for the task's end, or for the deadline.
    ///
    /// - Returns: Its value or error; `nil` when the deadline came first.
    /// - Throws: `CancellationError` when the caller is cancelled.
    @GreenActor
    public func join(until deadline: LoopClock.Instant? = nil) async throws -> Result<Value, any Error>? {
        if !state.isOver, try await !state.joining.wait(at: state.joining.join(), until: deadline) { return nil }
        return await task.result
    }

    /// Ends the task at the next point where it waits, with `CancellationError`. One that has not begun never begins.
    public func kill() { task.cancel() }
}
