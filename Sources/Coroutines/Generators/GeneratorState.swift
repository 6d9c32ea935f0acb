public import AsyncUV

/// The values and errors that consumer and body of a ``Generator`` hand to each other. It needs no lock because only one of the
/// two runs at a time: see ``GeneratorTurns``.
@usableFromInline
final class GeneratorState<Input: Sendable, Output: Sendable>: @unchecked Sendable {
    @usableFromInline let turns = GeneratorTurns()
    /// Whether the consumer has seen that the body waits at a `yield`.
    @exclusivity(unchecked) @usableFromInline var isWaiting = false
    /// The value that the body has yielded.
    @exclusivity(unchecked) @usableFromInline var output: Output?
    /// What the waiting `yield` returns. If it is to throw, ``thrown`` is set instead.
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
        let isAnswered = await unsafe RuntimeShortcuts.suspend { unsafe turns.give($0) }
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
        do {
            try await body(self)
            turns.finish(nil)
        } catch { turns.finish(error) }
    }

    // MARK: The consumer's side

    /// Gives the waiting `yield` its result.
    @inlinable
    func send(_ value: Input) throws -> Output? {
        guard unsafe isWaiting else { return try sendOtherwise(value) }
        unsafe input = value
        guard turns.goOn(answered: true) else { return try takeLate() }
        return unsafe output.take()
    }

    /// For a consumer that has nothing to send.
    @usableFromInline
    func advance() throws -> Output? {
        let phase = turns.phase
        switch phase {
        case .fresh:
            turns.begin { [self] in await run() }
            return try takeLate()
        case .waiting: throw GeneratorError.valueExpected
        case .given, .running, .over, .ended: return try take(in: phase)
        }
    }

    @usableFromInline
    func sendOtherwise(_ value: Input) throws -> Output? {
        let phase = turns.phase
        switch phase {
        case .fresh: throw GeneratorError.notStarted
        case .given: throw GeneratorError.valueNotTaken
        case .running, .over, .ended: return try take(in: phase)
        case .waiting:
            unsafe isWaiting = true
            return try send(value)
        }
    }

    func `throw`(_ error: any Error) throws -> Output? { try `throw`(error, in: turns.phase) }

    private func `throw`(_ error: any Error, in phase: GeneratorTurns.Phase) throws -> Output? {
        switch phase {
        case .fresh:
            body = nil
            try turns.end()
            throw error
        case .given, .waiting:
            unsafe output = nil
            thrown = error
            return turns.goOn(answered: false) ? takeValue() : try takeLate()
        case .running: return try take(in: phase)
        case .over, .ended:
            _ = try take(in: phase)
            throw error
        }
    }

    /// Like ``advance()``, or ``send(_:)`` of nothing; but when the body waits for something else, this waits for the body.
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
        return try takeLate()
    }

    /// The value that there is after the body has run.
    @usableFromInline
    func takeLate() throws -> Output? { try take(in: turns.phase) }

    /// The value that there is in a phase. The caller has read the phase once, because a body that runs on another thread may
    /// change it at any moment.
    private func take(in phase: GeneratorTurns.Phase) throws -> Output? {
        switch phase {
        case .given:
            turns.take()
            return takeValue()
        case .running:
            if turns.isInside { throw GeneratorError.alreadyRunning }
            unsafe isWaiting = false
            throw GeneratorError.waitsForSomethingElse
        case .fresh, .waiting, .over, .ended:
            unsafe isWaiting = false
            try turns.end()
            return nil
        }
    }

    private func takeValue() -> Output? {
        unsafe isWaiting = true
        return unsafe output.take()
    }

    // MARK: The end

    func close() throws {
        let phase = turns.close()
        switch phase {
        case .running: turns.cancel()
        case .ended: break
        case .fresh, .given, .waiting, .over:
            // A body that never began, or has ended, throws this error back.
            do { _ = try self.throw(GeneratorError.closed, in: phase) } catch GeneratorError.closed {}
        }
    }

    /// Closes when the consumer is gone. Nobody is left to get what the body throws.
    func abandon() { try? close() }
}
