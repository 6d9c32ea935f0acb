public import Testing

/// Runs each test on a thread of its own: a loop belongs to one thread, and a test that runs a loop must not hold one of
/// the few threads of the cooperative pool.
///
/// It waits for its turn, as with ``InTurn``; the thread of a hanging loop cannot be taken back.
public struct OwnThread: TestTrait, SuiteTrait, TestScoping {
    public let isRecursive = true

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await InTurn().provideScope(for: test, testCase: testCase) {
            let thread = ThreadExecutor()
            defer { thread.stop() }
            try await withTaskExecutorPreference(thread) { try await function() }
        }
    }
}

extension Trait where Self == OwnThread {
    /// The test runs on a thread of its own.
    public static var ownThread: Self { Self() }
}
