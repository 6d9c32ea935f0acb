internal import CSwiftRuntime
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

    /// Suspends the caller as ``wait(_:)`` does; when its task is cancelled, the link gives up, on its loop.
    ///
    /// What `withTaskCancellationHandler` does, without its frame and the four looks at the task's executor around it.
    @inline(__always)
    static func wait(
        cancelling link: PendingLink, on loop: EventLoop, _ store: (Self) -> Void
    ) async throws -> Value {
        unsafe link.loop = loop
        let record = unsafe Cancellation.add(link)
        defer {
            unsafe Cancellation.remove(record)
            // Another thread may have been about to tell it.
            withExtendedLifetime((link, loop)) {}
        }
        return try await wait(store)
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

/// Tells a link that its task was cancelled.
@safe
enum Cancellation {
    private static let isSet: Void = unsafe cruntime_set_cancellation_handler { context in
        guard let context = unsafe context else { return }
        let link = unsafe Unmanaged<PendingLink>.fromOpaque(context).takeUnretainedValue()
        // The one thing that may be touched on another thread: it was set before the link was added.
        guard let loop = unsafe link.loop else { return }
        UnderWay.note(link.operation)
        let bound = LoopBound(link)
        loop.post { bound.open(on: loop).give(up: CancellationError()) }
    }

    /// The link must live until it is removed.
    static func add(_ link: PendingLink) -> UnsafeMutableRawPointer? {
        _ = isSet
        return unsafe cruntime_add_cancellation_handler(Unmanaged.passUnretained(link).toOpaque())
    }

    static func remove(_ record: UnsafeMutableRawPointer?) { unsafe cruntime_remove_cancellation_handler(record) }
}
