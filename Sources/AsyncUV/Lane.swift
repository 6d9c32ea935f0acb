internal import DequeModule
internal import Dispatch
internal import Synchronization
internal import UV

/// Threads of its own, up to a number, for calls that may block for long. They would starve the files in libuv's pool.
///
/// Threads start when they are needed and leave after some idle seconds.
final class Lane: Sendable {
    /// For look-ups of names. One that hangs takes half a minute.
    static let lookUps = Lane(threads: 16)
    /// For ``EventLoop/offload(_:)``.
    static let offload = Lane(threads: 64)

    private struct State {
        var waiting: Deque<@Sendable () -> Void> = []
        var threads = 0
        var idle = 0
    }

    private let most: Int
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    private init(threads: Int) { most = threads }

    /// Runs a call on a thread of the lane, after those that came before.
    ///
    /// - Throws: ``UVError`` with `.resourceTemporarilyUnavailable` when the system refuses the first thread.
    func add(_ call: @escaping @Sendable () -> Void) throws {
        let needsThread = state.withLock { state in
            state.waiting.append(call)
            guard state.waiting.count > state.idle, state.threads < most else { return false }
            state.threads += 1
            return true
        }
        wake.signal()
        if needsThread { try startThread() }
    }

    private func startThread() throws {
        do throws(UVError) { try DetachedThread.start { self.work() } } catch {
            let isStuck = state.withLock { state in
                state.threads -= 1
                if state.threads > 0 { return false }
                state.waiting.removeAll()
                return true
            }
            if isStuck { throw error }
        }
    }

    private func work() {
        while let call = next() { call() }
    }

    /// The next call; `nil` when there has been none for a while.
    private func next() -> (@Sendable () -> Void)? {
        var isLate = false
        while true {
            let (call, leaves) = state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
                if let call = state.waiting.popFirst() { return (call, false) }
                if isLate { state.threads -= 1 } else { state.idle += 1 }
                return (nil, isLate)
            }
            if call != nil || leaves { return call }
            // A signal may be for a call that another thread has taken: then there is nothing, and the wait goes on.
            isLate = wake.wait(timeout: .now() + .seconds(5)) == .timedOut
            state.withLock { $0.idle -= 1 }
        }
    }
}

extension EventLoop {
    /// Runs code that blocks on a thread made for that, while the loop goes on; for libraries that know nothing better.
    ///
    /// There are at most 64 such threads, for all loops; what comes on top waits its turn. Files and look-ups have threads
    /// of their own and are not held up.
    ///
    /// - Throws: What the body throws, ``UVError`` with `.canceled` when the loop ends first.
    ///
    /// Cancellation: a body that has not begun never does; one that has goes on in the background, its result is dropped.
    public func offload<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await perform(in: .offload, "offload", body)
    }

    func perform<Value: Sendable>(
        in lane: Lane, _ operation: StaticString, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await perform(operation) { _, pending in
            let isGivenUp = GivenUp()
            let bound = LoopBound(pending)
            pending.onCancel = { isGivenUp.set() }
            try lane.add {
                if isGivenUp.isSet { return }
                let result = Result { try body() }
                self.post { bound.open(on: self).finish(result) }
            }
        }
    }
}

/// Tells a thread that nobody waits any more.
private final class GivenUp: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
