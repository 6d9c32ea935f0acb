/// One wait of a task on a loop, and the result that ends it. The one bridge from callbacks to `await`.
///
/// Either may come first: a result that nobody waits for yet is kept. On the loop's thread only.
class Wait<Value>: WaitLink {
    // The result comes by a field: a suspension of a generic type would have to make room for it on the task's stack.
    private var result: Result<Value, any Error>?
    private var task = Suspension<Void>()
    private final var isOver = false
    /// Ends what was started, when the task is cancelled or the loop ends. Not called after ``finish(_:)``.
    final var onCancel: (() -> Void)?

    /// Ends the wait. A result that comes after a cancellation is dropped; false then.
    @discardableResult
    final func finish(_ result: sending Result<Value, any Error>) -> Bool {
        if isOver { return false }
        isOver = true
        onCancel = nil
        unlink()
        self.result = result
        task.resume(returning: ())
        return true
    }

    final override var waitingTask: UInt { task.task }

    final override func give(up error: any Error) {
        if isOver { return }
        stop()
        finish(.failure(error))
    }

    /// Ends what was started: nobody waits for it any more.
    func stop() {
        let end = onCancel.take()
        end?()
    }

    /// The result, when it comes. Also in a cancelled task: see ``EventLoop/value(of:)`` for the other.
    @inline(__always)
    final func value(on loop: EventLoop) async throws -> Value {
        if !isDone(on: loop) { try await Suspension.wait { suspend($0, on: loop) } }
        return try takeResult()
    }

    /// Whether the result is there, and the caller need not give way.
    @inline(__always)
    fileprivate final func isDone(on loop: EventLoop) -> Bool {
        isOver && !(loop.isCurrent && loop.charge(Cost.memory))
    }

    /// Keeps the task until the result comes; one whose result is there gives way.
    fileprivate final func suspend(_ task: Suspension<Void>, on loop: EventLoop) {
        if isOver { loop.keepPlace(task) } else { self.task = task }
    }

    fileprivate final func takeResult() throws -> Value {
        guard let result = result.take() else { fatalError("a wait was ended without a result") }
        return try result.get()
    }
}

extension EventLoop {
    /// The result of a wait that has begun, in a task that is hosted here.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled, ``UVError`` with `.canceled` when the loop ends, else
    ///   what the wait ends with.
    @inline(__always)
    func value<Value>(of wait: Wait<Value>) async throws -> Value {
        if !wait.isDone(on: self) {
            try await Suspension.wait(cancelling: wait, on: self) { wait.suspend($0, on: self) }
        }
        return try wait.takeResult()
    }

    /// Starts an operation of the callback layer on the loop and waits for its callback.
    ///
    /// A cancelled task starts nothing; one that is cancelled while it waits ends at once with `CancellationError`. When
    /// the loop ends first it throws ``UVError`` with `.canceled`.
    @inline(__always)
    func perform<Value: Sendable>(
        _ operation: StaticString, _ begin: @Sendable (LoopCore, Wait<Value>) throws -> Void
    ) async throws -> Value {
        guard hostsCurrentTask else { return try await performElsewhere(operation, begin) }
        try checkCancellation()
        let wait = Wait<Value>(operation)
        try start(wait) { core in try begin(core, wait) }
        return try await value(of: wait)
    }

    /// Begins a wait that is in the loop's list from now on.
    ///
    /// - Throws: What the closure throws, ``UVError`` with `.canceled` when the loop ends; the wait is not to be waited for.
    @inline(__always)
    func start(_ wait: WaitLink, _ begin: (LoopCore) throws -> Void) throws {
        let core = core.open(on: self)
        if core.isEnding { throw ended(wait.operation) }
        wait.began = core.loop.moment
        core.waits.insert(wait)
        do { try begin(core) } catch {
            wait.unlink()
            throw error
        }
    }

    /// Apart, so that what it keeps across its suspensions is not in everybody's frame.
    @inline(never)
    private func performElsewhere<Value: Sendable>(
        _ operation: StaticString, _ begin: @Sendable (LoopCore, Wait<Value>) throws -> Void
    ) async throws -> Value {
        try await hop { try await self.perform(operation, begin) }
    }
}
