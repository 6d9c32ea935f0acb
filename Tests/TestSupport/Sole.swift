public import Testing

/// Runs the tests that use a thing of which the process has one, one after another, whatever their suites: plain `swift test` puts those of
/// all modules into one process.
///
/// They need no seat of ``InTurn``: there is one of them at a time. If each waited behind all tests that are in no such row, with what the
/// row is for in its hands, they would begin when those have ended.
public struct Sole: TestTrait, SuiteTrait, TestScoping {
    public let isRecursive = true
    private let seat: Seats

    fileprivate static let diagnostics = Self(seat: Seats(1))
    fileprivate static let pool = Self(seat: Seats(1))
    fileprivate static let counters = Self(seat: Seats(1))

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await InTurn.seat?.leave()
        await seat.take()
        let result: Result<Void, any Error>
        do { result = .success(try await InTurn.$isInAnotherRow.withValue(true) { try await function() }) } catch {
            result = .failure(error)
        }
        await seat.leave()
        try result.get()
    }
}

extension Trait where Self == Sole {
    /// Nobody else sets the handler of `Diagnostics`, or turns tracing on, meanwhile.
    public static var soleDiagnostics: Self { .diagnostics }
    /// No other test with this trait sends work to the thread pool meanwhile, whose statistics are the process's.
    public static var solePool: Self { .pool }
    /// Nobody asks all loops of the process for a report meanwhile, which is a job from another thread for each.
    public static var soleCounters: Self { .counters }
}
