/// A task that is suspended on its loop, or none. On the loop's thread only; resumed once.
@safe
struct Suspension<Value> {
    private var continuation: UnsafeContinuation<Value, any Error>?

    init() {}

    private init(_ continuation: UnsafeContinuation<Value, any Error>) { unsafe self.continuation = continuation }

    var isWaiting: Bool { unsafe continuation != nil }

    /// The number of the task that waits; 0 for none, and where nobody knows it.
    var task: UInt { unsafe continuation.map { unsafe RuntimeShortcuts.task(of: $0) } ?? 0 }

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

    /// Suspends the caller; the closure stores the suspension.
    @inline(__always)
    static func wait(_ store: (Self) -> Void) async throws -> Value {
        try await unsafe RuntimeShortcuts.suspend { unsafe store(Self($0)) }
    }

    /// As ``wait(_:)``; when the task is cancelled, the link gives up, on its loop.
    @inline(__always)
    static func wait(
        cancelling link: WaitLink, on loop: EventLoop, _ store: (Self) -> Void
    ) async throws -> Value {
        try await unsafe RuntimeShortcuts.suspend(cancelling: link, on: loop) { unsafe store(Self($0)) }
    }
}
