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
    @inline(__always)
    static func wait(_ store: (Self) -> Void) async throws -> Value {
        try await unsafe withUnsafeThrowingContinuation { unsafe store(Self($0)) }
    }
}

/// One cold operation under way: the bridge from a callback to an `await`.
final class Pending<Value> {
    private var suspension = Suspension<Value>()
    /// Ends what was started, when the task is cancelled. Not called after ``finish(_:)``.
    var onCancel: (() -> Void)?

    fileprivate func wait(_ suspension: Suspension<Value>) { self.suspension = suspension }

    /// Resumes the task. A result that comes after a cancellation is dropped; false then.
    @discardableResult
    func finish(_ result: sending Result<Value, any Error>) -> Bool {
        let isWaiting = suspension.isWaiting
        onCancel = nil
        suspension.resume(with: result)
        return isWaiting
    }

    fileprivate func cancel() {
        guard suspension.isWaiting else { return }
        let end = onCancel
        onCancel = nil
        end?()
        suspension.resume(with: .failure(CancellationError()))
    }
}

extension EventLoop {
    /// Starts an operation of the callback layer on the loop and waits for its callback.
    ///
    /// A cancelled task starts nothing; one that is cancelled while it waits ends at once with `CancellationError`.
    func perform<Value: Sendable>(
        _ operation: StaticString, _ begin: @Sendable (LoopCore, Pending<Value>) throws -> Void
    ) async throws -> Value {
        guard hostsCurrentTask else { return try await hop { try await self.perform(operation, begin) } }
        try Task.checkCancellation()
        let core = core.open(on: self)
        if core.isEnding { throw ended(operation) }
        let pending = Pending<Value>()
        let bound = LoopBound(pending)
        return try await withTaskCancellationHandler {
            try await Suspension.wait { suspension in
                pending.wait(suspension)
                do { try begin(core, pending) } catch { pending.finish(.failure(error)) }
            }
        } onCancel: {
            post { bound.open(on: self).cancel() }
        }
    }
}
