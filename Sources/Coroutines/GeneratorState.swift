/// What the two sides of a ``Generator`` say to each other. See ``GeneratorTurns`` for why it needs no lock.
@usableFromInline
final class GeneratorState<Input: Sendable, Output: Sendable>: @unchecked Sendable {
    @usableFromInline let turns = GeneratorTurns()
    /// Whether the consumer knows that the body waits at a `yield`.
    @exclusivity(unchecked) @usableFromInline var isWaiting = false
    /// For the consumer.
    @exclusivity(unchecked) @usableFromInline var output: Output?
    private var error: (any Error)?
    /// For the body: one of the two.
    @exclusivity(unchecked) @usableFromInline var input: Input?
    private var thrown: (any Error)?

    private var body: (@Sendable (GeneratorState) async throws -> Void)?
    var failure: (any Error)?

    @usableFromInline
    init(_ body: @escaping @Sendable (GeneratorState) async throws -> Void) { self.body = body }

    // MARK: The body's side

    @inlinable
    func yield(_ value: Output) async throws -> Input {
        unsafe output = value
        let isAnswered = await unsafe _unsafeInheritExecutor_withUnsafeContinuation { unsafe turns.give($0) }
        guard isAnswered, let answer = unsafe input else { throw refusal() }
        return answer
    }

    @usableFromInline
    func refusal() -> any Error {
        unsafe output = nil
        return thrown.take() ?? GeneratorError.closed
    }

    private func run() async {
        guard let body else { return }
        self.body = nil
        do { try await body(self) } catch { self.error = error }
        turns.finish()
    }

    // MARK: The consumer's side

    /// Gives the waiting `yield` its result.
    @inlinable
    func send(_ value: Input) throws -> Output? {
        guard unsafe isWaiting else { return try sendOtherwise(value) }
        unsafe input = value
        guard turns.goOn(answered: true) else { return try takeEnd() }
        return unsafe output.take()
    }

    /// For a consumer that has nothing to send.
    @usableFromInline
    func advance() throws -> Output? {
        switch turns.phase {
        case .fresh: turns.begin { [self] in await run() }
        case .waiting: throw GeneratorError.valueExpected
        case .given, .running, .over, .ended: break
        }
        return try take()
    }

    @usableFromInline
    func sendOtherwise(_ value: Input) throws -> Output? {
        switch turns.phase {
        case .fresh: throw GeneratorError.notStarted
        case .given: throw GeneratorError.valueNotTaken
        case .running, .over, .ended: return try takeEnd()
        case .waiting:
            unsafe isWaiting = true
            return try send(value)
        }
    }

    func `throw`(_ error: any Error) throws -> Output? {
        switch turns.phase {
        case .fresh:
            body = nil
            turns.end()
            throw error
        case .given, .waiting:
            unsafe output = nil
            thrown = error
            guard turns.goOn(answered: false) else { return try takeEnd() }
            return takeValue()
        case .ended: throw error
        case .running, .over: return try takeEnd()
        }
    }

    /// As ``advance()`` and ``send(_:)`` of nothing, waiting for a body that waits for something else.
    func advanceAndWait() async throws -> Output? where Input == Void {
        switch turns.phase {
        case .fresh: turns.begin { [self] in await run() }
        case .running: if turns.isInside { throw GeneratorError.alreadyRunning }
        case .waiting:
            unsafe isWaiting = false
            unsafe input = ()
            if turns.goOn(answered: true) { return takeValue() }
        case .given, .over, .ended: break
        }
        if turns.phase == .running { await turns.wait() }
        return try take()
    }

    private func take() throws -> Output? { turns.take() ? takeValue() : try takeEnd() }

    private func takeValue() -> Output? {
        unsafe isWaiting = true
        return unsafe output.take()
    }

    @usableFromInline
    func takeEnd() throws -> Output? {
        let isRunning = turns.phase == .running
        if isRunning, turns.isInside { throw GeneratorError.alreadyRunning }
        unsafe isWaiting = false
        if isRunning { throw GeneratorError.waitsForSomethingElse }
        turns.end()
        if let error = error.take() { throw error }
        return nil
    }

    // MARK: The end

    func close() throws {
        turns.close()
        switch turns.phase {
        case .running: turns.cancel()
        case .ended: break
        case .fresh, .given, .waiting, .over:
            do { _ = try self.throw(GeneratorError.closed) } catch GeneratorError.closed {}
        }
    }

    /// The consumer is gone: what the body throws now is nobody's.
    func abandon() { try? close() }
}
