internal import UV

/// A task that waits for something on its loop. On the loop's thread only; resumed exactly once.
@safe
struct Suspension<Value> {
    private var continuation: UnsafeContinuation<Value, any Error>?

    init() {}

    init(_ continuation: UnsafeContinuation<Value, any Error>) { unsafe self.continuation = continuation }

    var isWaiting: Bool { unsafe continuation != nil }

    /// Resumes the task if it waits.
    @inline(__always)
    mutating func resume(with result: sending Result<Value, any Error>) {
        guard let waiting = unsafe continuation else { return }
        unsafe continuation = nil
        unsafe waiting.resume(with: result)
    }

    @inline(__always)
    mutating func resume(returning value: sending Value) {
        guard let waiting = unsafe continuation else { return }
        unsafe continuation = nil
        unsafe waiting.resume(returning: value)
    }

    /// Suspends the caller; the closure stores the suspension, on the same thread.
    ///
    /// The standard library's own form for callers that stay on their executor anyway: the ordinary one switches to it
    /// once more before it suspends, for 250 instructions.
    @inline(__always)
    static func wait(_ store: (Self) -> Void) async throws -> Value {
        try await unsafe _unsafeInheritExecutor_withUnsafeThrowingContinuation { unsafe store(Self($0)) }
    }
}
