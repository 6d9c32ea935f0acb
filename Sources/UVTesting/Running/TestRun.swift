internal import AsyncUV

/// One run of a test's body, from before its loop to after it.
final class TestRun: Sendable {
    let clock = TwinClock()
    let seed: UInt64?
    let trace: TestTrace
    private let patience: Duration

    init(_ seed: UInt64?, _ patience: Duration) {
        self.seed = seed
        self.patience = patience
        trace = TestTrace(clock, prints: Report.printsTrace)
    }

    /// - Throws: ``TestFailure`` when the body has not ended, `UVError` when the system refuses a loop.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (TestLoop) async throws -> Value
    ) async throws -> Result<Value, any Error> {
        try check(
            await EventLoop.run { [self] in
                makeTwin()
            } _: { [self] loop in
                try await body(TestLoop(loop, self, begun: 1))
            })
    }

    /// The same on the calling thread.
    @available(*, noasync)
    func runHere<Value: Sendable>(
        _ body: @escaping @Sendable (TestLoop) async throws -> Value
    ) throws -> Result<Value, any Error> {
        try check(EventLoop.run(makeTwin()) { [self] loop in try await body(TestLoop(loop, self, begun: 0)) })
    }

    private func makeTwin() -> LoopTwin {
        var random = seed.map { TestRandom(seed: $0) }
        return LoopTwin(clock, patience: patience) { [trace] count in
            let index = count > 1 ? random?.choice(of: count) ?? 0 : 0
            trace.note(.job(index, of: count))
            return index
        } onTime: { [trace] in
            trace.note(.time)
        }
    }

    private func check<Value>(_ run: EventLoop.TwinResult<Value>) throws -> Result<Value, any Error> {
        if let result = run.result { return result }
        if case .stuck(let waits) = run.end { throw failure(because: .stuck(waits)) }
        throw failure(because: .restless)
    }

    private func failure(because reason: TestFailure.Reason) -> TestFailure {
        TestFailure(reason: reason, seed: seed, trace: trace.lines(last: 50))
    }

    /// Tells a person of an error, and what to throw for it.
    func failure(_ error: any Error) -> TestFailure {
        let failure = error as? TestFailure ?? failure(because: .thrown(error))
        for line in failure.trace { Report.write(line) }
        Report.write("\(failure)")
        return failure
    }
}

extension TestRandom {
    fileprivate mutating func choice(of count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
}
