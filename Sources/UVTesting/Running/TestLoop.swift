public import AsyncUV
internal import Synchronization

/// A run of a test on a loop whose time jumps: whenever all of its tasks wait, the clock goes to the next moment in which something
/// is due. So an hour's timeout takes microseconds, and takes exactly an hour.
///
/// ```swift
/// @Test(arguments: 0..<20) func anIdleClientIsCutOff(seed: UInt64) throws {
///     try TestLoop.run(seed: seed) { test in
///         let network = TestNetwork(test)
///         let (client, server) = network.pair()
///         let session = test.loop.spawn { try await handle(server) }
///         #expect(try await client.read() == nil)
///         #expect(test.elapsed == .seconds(3_600))
///         try await session.value
///     }
/// }
/// ```
///
/// The loop is a real one: all that takes a loop, or asks for the current one, works on it. Its clock is what sleeps, deadlines,
/// timeouts, idle timeouts and ticks of `AsyncUV` go by, and `LoopClock.Instant.now` on the loop. The clock stands still while
/// tasks run, and nothing is late. With the same seed the same code runs in the same order.
///
/// What goes by the system's clock does not jump: timers of the callback layer (`TimerHandle`), `Task.sleep`, `ContinuousClock`.
/// Sockets, files and other threads are waited for before the clock jumps: operations on files, `offload` and look-ups until they
/// have ended (ten times the run's `patience` at most), sockets and other handles that are active for 10 ms each time. When they
/// answer is up to the system, so a run with any of them need not repeat itself; nor one whose tasks leave the loop, as
/// `Task {}` does and `loop.spawn` does not: see ``jobsFromElsewhere``.
public final class TestLoop: Sendable {
    /// The loop, for `on: loop`.
    public let loop: EventLoop
    /// Decides the order of tasks and what chance does in a ``TestNetwork``; `nil` for first come, first served.
    public let seed: UInt64?
    let trace: TestTrace
    private let clock: TwinClock
    private let random: Mutex<TestRandom>

    private init(_ loop: EventLoop, _ clock: TwinClock, _ seed: UInt64?, _ trace: TestTrace) {
        self.loop = loop
        self.clock = clock
        self.seed = seed
        self.trace = trace
        random = Mutex(TestRandom(seed: ~(seed ?? 0)))
    }

    // MARK: Running

    /// Runs a test's body on a loop of the calling thread until the body ends, and closes what is open on the loop.
    ///
    /// - Parameter seed: Chooses which of the tasks that are ready runs next. `nil` takes the number in the environment's
    ///   `SWIFT_UV_SEED`; without one the task that has waited longest runs next, as on any loop.
    /// - Parameter patience: How long to wait for other threads, by the system's clock, when nothing is due, before the run
    ///   has failed.
    /// - Returns: The body's value.
    /// - Throws: The body's error; ``TestFailure`` when nothing is due and everything waits, or when tasks run without end while no
    ///   time goes by; `UVError` when the system refuses a loop. Inside a loop it traps.
    @discardableResult
    @available(*, noasync, message: "it blocks the thread until the body ends: call it in a test that is not async")
    public static func run<Value: Sendable>(
        seed: UInt64? = nil, patience: Duration = .seconds(1),
        _ body: @escaping @Sendable (TestLoop) async throws -> Value
    ) throws -> Value {
        let (result, _) = try result(of: seed ?? Report.seed, patience, body)
        return try result.get()
    }

    /// Runs a test's body once for each seed, until it throws.
    ///
    /// A failure is also printed on standard error, with its seed and the end of the trace. Where `#expect` and the like record a
    /// failure instead of throwing, let the testing library pass the seeds: `@Test(arguments: 0..<100)`.
    ///
    /// - Parameter seeds: Such as `0..<100`. A number in the environment's `SWIFT_UV_SEED` takes their place.
    /// - Throws: ``TestFailure`` with the seed. Otherwise as ``run(seed:patience:_:)``.
    @available(*, noasync, message: "it blocks the thread until the body ends: call it in a test that is not async")
    public static func run(
        seeds: some Sequence<UInt64>, patience: Duration = .seconds(1),
        _ body: @escaping @Sendable (TestLoop) async throws -> Void
    ) throws {
        if let seed = Report.seed { return try run(reporting: seed, patience, body) }
        for seed in seeds { try run(reporting: seed, patience, body) }
    }

    private static func run(
        reporting seed: UInt64, _ patience: Duration, _ body: @escaping @Sendable (TestLoop) async throws -> Void
    ) throws {
        let failure: TestFailure
        do {
            let (result, trace) = try result(of: seed, patience, body)
            guard case .failure(let error) = result else { return }
            failure = TestFailure(reason: .thrown(error), seed: seed, trace: trace.lines(last: 50))
        } catch let error as TestFailure { failure = error }
        for line in failure.trace { Report.write(line) }
        Report.write("\(failure)")
        throw failure
    }

    private static func result<Value: Sendable>(
        of seed: UInt64?, _ patience: Duration, _ body: @escaping @Sendable (TestLoop) async throws -> Value
    ) throws -> (Result<Value, any Error>, TestTrace) {
        let clock = TwinClock()
        let trace = TestTrace(clock, prints: Report.printsTrace)
        var random = seed.map { TestRandom(seed: $0) }
        let twin = LoopTwin(clock, patience: patience) { count in
            let index = count > 1 ? random?.choice(of: count) ?? 0 : 0
            trace.note(.job(index, of: count))
            return index
        } onTime: {
            trace.note(.time)
        }
        let run = try EventLoop.run(twin) { loop in try await body(TestLoop(loop, clock, seed, trace)) }
        if let result = run.result { return (result, trace) }
        let reason: TestFailure.Reason = if case .stuck(let waits) = run.end { .stuck(waits) } else { .restless }
        throw TestFailure(reason: reason, seed: seed, trace: trace.lines(last: 50))
    }

    // MARK: In a run

    /// How much of the loop's time has gone by since the run began.
    public var elapsed: Duration { clock.time - TwinClock.start }

    /// Waits until all other tasks wait and nothing is due at this moment. No time of the loop goes by; the system and other
    /// threads are waited for as before a jump.
    ///
    /// - Throws: `CancellationError`, `UVError` with `.canceled` when the loop ends.
    public func waitUntilIdle() async throws { try await loop.waitUntilIdle() }

    /// Runs a body while the time of the loop does not jump, however long all of its tasks wait: for code that another thread, the
    /// main actor or the system's clock has a part in.
    public nonisolated(nonsending) func withoutJumps<Value>(
        _ body: nonisolated(nonsending) () async throws -> Value
    ) async rethrows -> Value {
        clock.hold()
        defer { clock.letGo() }
        return try await body()
    }

    /// Random numbers that depend on the seed alone; each call gives others.
    public func makeRandom() -> TestRandom { TestRandom(seed: random.withLock { $0.next() }) }

    /// How many jobs and calls have come from other threads: with any, the same seed may run in another order.
    ///
    /// - Throws: `UVError` with `.canceled` when the loop has ended.
    public var jobsFromElsewhere: Int {
        get async throws { try await loop.withLoop { [loop] _ in loop.foreignJobsSoFar } }
    }

    // MARK: The trace

    /// A number for all that has happened so far: which tasks were chosen, when something was due, what went over networks. With the
    /// same seed the same code has the same number at the same point, in any process; a set or dictionary whose order
    /// matters needs `SWIFT_DETERMINISTIC_HASHING=1` in the environment for that.
    public var traceHash: UInt64 { trace.hash }

    /// What happened last, a line each, a thousand at most. With `SWIFT_UV_TRACE=1` in the environment all lines go to standard
    /// error as they come.
    public var traceLines: [String] { trace.lines() }

    /// Adds a line of your own to the trace.
    public func note(_ text: String) { trace.note(text, "") }
}

extension TestLoop: CustomStringConvertible {
    /// For people, as in `#expect(a == b, "\(test)")`: `a test with seed 17 at 3.5 seconds`.
    public var description: String { "a test with \(seed.map { "seed \($0)" } ?? "no seed") at \(elapsed)" }
}

extension TestRandom {
    fileprivate mutating func choice(of count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
}
