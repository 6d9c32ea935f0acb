internal import UV

extension EventLoop {
    /// Starts a task that prefers the loop. Sugar for `Task(executorPreference: loop)`, which `Task {}` does not inherit.
    ///
    /// What the body throws is in the task's `value`. The compiler warns when nobody keeps the task, because then the error
    /// is lost: await it, give ``spawn(priority:onError:_:)`` a closure for it, or write `_ =` if it does not matter.
    public func spawn<Value: Sendable>(
        priority: TaskPriority? = nil, _ body: @escaping @Sendable () async throws -> Value
    ) -> Task<Value, any Error> {
        if let number = tasks.addIfTracing("task of spawn") {
            return Task(executorPreference: self, priority: priority) { [tasks] in
                try await tasks.run(number) { try await body() }
            }
        }
        return Task(executorPreference: self, priority: priority, operation: body)
    }

    /// Starts a task that prefers the loop and throws nothing, so that nobody has to keep it.
    @discardableResult
    public func spawn<Value: Sendable>(
        priority: TaskPriority? = nil, _ body: @escaping @Sendable () async -> Value
    ) -> Task<Value, any Error> {
        if let number = tasks.addIfTracing("task of spawn") {
            return Task(executorPreference: self, priority: priority) { [tasks] in
                await tasks.run(number) { await body() }
            }
        }
        return Task(executorPreference: self, priority: priority, operation: body)
    }

    /// Starts a task that prefers the loop and that nobody has to wait for.
    ///
    /// - Parameter onError: Gets what the body throws, on the loop, `CancellationError` as well.
    @discardableResult
    public func spawn(
        priority: TaskPriority? = nil, onError: @escaping @Sendable (any Error) -> Void,
        _ body: @escaping @Sendable () async throws -> Void
    ) -> Task<Void, Never> {
        let number = tasks.addIfTracing("task of spawn")
        return Task(executorPreference: self, priority: priority) { [tasks] in
            do {
                if let number { try await tasks.run(number, body) } else { try await body() }
            } catch { onError(error) }
        }
    }
}
