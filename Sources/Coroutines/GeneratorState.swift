internal import Synchronization

/// What the two sides of a ``Generator`` share.
///
/// Exactly one side runs at a time, so most of it needs no lock: the consumer looks at the outcome after the body has run
/// inside its call. Only a body that waits for something else may give its outcome from another thread; then the lock
/// orders it against a consumer that begins to wait.
@safe
final class GeneratorState<Input: Sendable, Output: Sendable>: @unchecked Sendable {
    @safe
    private enum Phase {
        case fresh
        case running
        case yielded(UnsafeContinuation<Input, any Error>)
        case ended
    }

    private enum Outcome {
        case value(Output)
        case end
        case failure(any Error)
    }

    var body: ((GeneratorState) async throws -> Void)?
    var failure: (any Error)?
    private var phase = Phase.fresh
    private var outcome = Outcome.end
    /// Whether ``outcome`` is there for the consumer.
    private let isPublished = Atomic<Bool>(false)
    private let isClosed = Atomic<Bool>(false)
    private let consumer = Mutex<CheckedContinuation<Void, Never>?>(nil)
    private let executor = InlineExecutor()
    private var task: Task<Void, Never>?

    var hasStarted: Bool {
        if case .fresh = phase { false } else { true }
    }

    // MARK: The body's side

    func yield(_ value: Output) async throws -> Input {
        if isClosed.load(ordering: .relaxed) { throw GeneratorError.closed }
        return try await unsafe withUnsafeThrowingContinuation { continuation in
            phase = unsafe .yielded(continuation)
            publish(.value(value))
        }
    }

    private func run() async {
        guard let body else { return }
        self.body = nil
        let outcome: Outcome
        do {
            try await body(self)
            outcome = .end
        } catch { outcome = .failure(error) }
        phase = .ended
        publish(outcome)
    }

    private func publish(_ outcome: Outcome) {
        self.outcome = outcome
        isPublished.store(true, ordering: .releasing)
        if executor.isDriver { return }
        let waiting = consumer.withLock { $0.take() }
        waiting?.resume()
    }

    // MARK: The consumer's side

    func begin() throws -> Output? {
        try start()
        return try take()
    }

    func resume(_ result: Result<Input, any Error>) throws -> Output? {
        try go(on: result)
        return try take()
    }

    /// As ``begin()`` and then ``resume(_:)`` with nothing, waiting for a body that waits.
    func resumeAndWait() async throws -> Output? where Input == Void {
        if !isPublished.load(ordering: .acquiring) {
            if hasStarted { try go(on: .success(())) } else { try start() }
        }
        if !isPublished.load(ordering: .acquiring) {
            let task = task
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isThere = consumer.withLock { consumer in
                        if isPublished.load(ordering: .acquiring) { return true }
                        consumer = continuation
                        return false
                    }
                    if isThere { continuation.resume() }
                }
            } onCancel: {
                task?.cancel()
            }
        }
        return try take()
    }

    private func start() throws {
        switch phase {
        case .fresh: break
        case .running: throw GeneratorError.alreadyRunning
        case .yielded: throw GeneratorError.valueExpected
        case .ended: return
        }
        phase = .running
        executor.drive {
            task = Task(executorPreference: executor) { [self] in await run() }
        }
    }

    private func go(on result: Result<Input, any Error>) throws {
        switch phase {
        case .fresh:
            guard case .failure(let error) = result else { throw GeneratorError.notStarted }
            phase = .ended
            body = nil
            throw error
        case .running:
            if isPublished.load(ordering: .acquiring) { return }
            throw executor.isDriver ? GeneratorError.alreadyRunning : GeneratorError.waitsForSomethingElse
        case .yielded(let continuation):
            phase = .running
            executor.drive { unsafe continuation.resume(with: result) }
        case .ended:
            if case .failure(let error) = result { throw error }
        }
    }

    private func take() throws -> Output? {
        guard isPublished.exchange(false, ordering: .acquiring) else {
            if case .ended = phase { return nil }
            throw GeneratorError.waitsForSomethingElse
        }
        let result = outcome
        outcome = .end
        switch result {
        case .value(let value): return value
        case .end: return nil
        case .failure(let error): throw error
        }
    }

    // MARK: The end

    func close() throws {
        isClosed.store(true, ordering: .relaxed)
        do {
            switch phase {
            case .fresh:
                phase = .ended
                body = nil
            case .running: task?.cancel()
            case .yielded: _ = try resume(.failure(GeneratorError.closed))
            case .ended: break
            }
        } catch GeneratorError.closed {}
    }

    /// The consumer is gone: what the body throws now is nobody's.
    func abandon() { try? close() }
}
