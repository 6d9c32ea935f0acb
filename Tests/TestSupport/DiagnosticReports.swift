import Synchronization
public import Testing
import UV

/// What the library says while it lives. The process has one handler: for a test with ``Testing/Trait/soleDiagnostics``.
public final class DiagnosticReports: Sendable {
    private let texts = Mutex<[String]>([])

    public init() {
        Diagnostics.setHandler { [weak self] report in self?.texts.withLock { $0.append(report.message) } }
    }

    deinit { Diagnostics.setHandler(nil) }

    public var all: [String] { texts.withLock { $0 } }
}

/// Runs the tests that set the handler of `Diagnostics`, or turn tracing on, one after another: the process has one of each, and
/// plain `swift test` puts the suites of all modules into one process.
public struct SoleDiagnostics: TestTrait, SuiteTrait, TestScoping {
    public let isRecursive = true

    private static let seat = Seats(1)

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Self.seat.take()
        let result: Result<Void, any Error>
        do { result = .success(try await function()) } catch { result = .failure(error) }
        await Self.seat.leave()
        try result.get()
    }
}

extension Trait where Self == SoleDiagnostics {
    /// Nobody else sets the handler of `Diagnostics` meanwhile.
    public static var soleDiagnostics: Self { Self() }
}
