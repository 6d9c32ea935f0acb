public import AsyncUV
internal import Synchronization

/// A run of a test on a loop whose time jumps: whenever all of its tasks wait, the clock goes to the next moment in which something
/// is due. So an hour's timeout takes microseconds, and takes exactly an hour.
///
/// ```swift
/// @Test(arguments: 0..<20 as Range<UInt64>) func anIdleClientIsCutOff(seed: UInt64) async throws {
///     try await TestLoop.run(seed: seed) { test in
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
/// have ended (ten times the run's `patience` at most), sockets and other handles that are active, and other threads that have used the loop before, for 10 ms each time. When they
/// answer is up to the system, so a run with any of them need not repeat itself; nor one whose tasks leave the loop, as
/// `Task {}` does and `loop.spawn` does not: see ``jobsFromElsewhere``.
public final class TestLoop: Sendable {
    /// The loop, for `on: loop`.
    public let loop: EventLoop
    /// Decides the order of tasks and what chance does in a ``TestNetwork``; `nil` for first come, first served.
    public let seed: UInt64?
    let trace: TestTrace
    private let clock: TwinClock
    private let begun: Int
    private let random: Mutex<TestRandom>

    /// - Parameter begun: How many jobs came from elsewhere because the run began.
    init(_ loop: EventLoop, _ run: TestRun, begun: Int) {
        self.loop = loop
        self.begun = begun
        clock = run.clock
        seed = run.seed
        trace = run.trace
        random = Mutex(TestRandom(seed: ~(seed ?? 0)))
    }

    // MARK: Running

    /// Runs a test's body on a loop with a thread of its own until the body ends, and closes what is open on the loop.
    ///
    /// - Parameter seed: Chooses which of the tasks that are ready runs next. `nil` takes the number in the environment's
    ///   `SWIFT_UV_SEED`; without one the task that has waited longest runs next, as on any loop.
    /// - Parameter patience: How long to wait for other threads, by the system's clock, when nothing is due, before the run
    ///   has failed.
    /// - Returns: The body's value.
    /// - Throws: The body's error; ``TestFailure`` when nothing is due and everything waits, or when a million jobs of tasks have run
    ///   while no time goes by: the body is cancelled then. `UVError` when the system refuses a loop.
    ///
    /// Cancellation: cancels the body.
    @discardableResult
    public static func run<Value: Sendable>(
        seed: UInt64? = nil, patience: Duration = .seconds(1),
        _ body: @escaping @Sendable (TestLoop) async throws -> Value
    ) async throws -> Value {
        try await TestRun(seed ?? Report.seed, patience).run(body).get()
    }

    /// Runs a test's body once for each seed, until it throws.
    ///
    /// A failure is also printed on standard error, with its seed and the end of the trace. Where `#expect` and the like record a
    /// failure instead of throwing, let the testing library pass the seeds: `@Test(arguments: 0..<100)`.
    ///
    /// - Parameter seeds: Such as `0..<100`. A number in the environment's `SWIFT_UV_SEED` takes their place.
    /// - Throws: ``TestFailure`` with the seed. Otherwise as `run(seed:patience:_:)`.
    public static func run(
        seeds: some Sequence<UInt64>, patience: Duration = .seconds(1),
        _ body: @escaping @Sendable (TestLoop) async throws -> Void
    ) async throws {
        for seed in Report.seed.map({ [$0] }) ?? Array(seeds) {
            let run = TestRun(seed, patience)
            do { try await run.run(body).get() } catch { throw run.failure(error) }
        }
    }

    /// Runs a test's body on a loop on the calling thread, for tests that are not async. Otherwise as the async one. Inside a loop
    /// it traps.
    @discardableResult
    @available(*, noasync, message: "it blocks the thread until the body ends: await the other one")
    public static func run<Value: Sendable>(
        seed: UInt64? = nil, patience: Duration = .seconds(1),
        _ body: @escaping @Sendable (TestLoop) async throws -> Value
    ) throws -> Value {
        try TestRun(seed ?? Report.seed, patience).runHere(body).get()
    }

    /// Runs a test's body once for each seed on the calling thread, for tests that are not async. Otherwise as the async one.
    @available(*, noasync, message: "it blocks the thread until the body ends: await the other one")
    public static func run(
        seeds: some Sequence<UInt64>, patience: Duration = .seconds(1),
        _ body: @escaping @Sendable (TestLoop) async throws -> Void
    ) throws {
        for seed in Report.seed.map({ [$0] }) ?? Array(seeds) {
            let run = TestRun(seed, patience)
            do { try run.runHere(body).get() } catch { throw run.failure(error) }
        }
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
    public var jobsFromElsewhere: Int { clock.foreignJobs - begun }

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
