import Foundation
public import Testing

/// Runs each test on a thread of its own: a loop belongs to one thread, and a test that runs a loop must not hold one of
/// the few threads of the cooperative pool.
///
/// A test that hangs ends the whole run with its name: the thread of a hanging loop cannot be taken back.
public struct OwnThread: TestTrait, SuiteTrait, TestScoping {
    public let isRecursive = true

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        let thread = ThreadExecutor()
        defer { thread.stop() }
        let watchdog = Task.detached {
            try await Task.sleep(for: .seconds(60 * patience))
            fatalError("the test \(test.name) at \(test.sourceLocation) hangs")
        }
        defer { watchdog.cancel() }
        try await withTaskExecutorPreference(thread) { try await function() }
    }
}

extension Trait where Self == OwnThread {
    /// The test runs on a thread of its own.
    public static var ownThread: Self { Self() }
}
