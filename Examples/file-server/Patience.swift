import AsyncUV
import Synchronization

/// How far a transfer has come, and until when it has to come further.
final class Patience: Sendable {
    private struct State {
        var bytes: Int64 = 0
        var lastProgress = LoopClock.Instant.now
    }

    private let start = LoopClock.Instant.now
    private let idle: Duration
    private let state = Mutex(State())

    private init(idle: Duration) { self.idle = idle }

    /// So many bytes have gone so far.
    func reached(_ bytes: Int64) {
        state.withLock {
            $0.bytes = bytes
            $0.lastProgress = .now
        }
    }

    /// One byte a millisecond, 1 KB/s, is the slowest line on average: who takes a byte now and then is not idle, but holds
    /// a file open.
    private var deadline: LoopClock.Instant {
        state.withLock { min($0.lastProgress + idle, start + idle + .milliseconds($0.bytes)) }
    }

    /// Runs a transfer that has to go on.
    ///
    /// - Throws: ``UVError`` with `.timedOut` when it did not and was cancelled.
    static func limit(
        idle: Duration, on loop: EventLoop, _ transfer: @escaping @Sendable (Patience) async throws -> Void
    ) async throws {
        let patience = Patience(idle: idle)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await transfer(patience) }
            group.addTask {
                while patience.deadline > .now { try await loop.sleep(until: patience.deadline) }
                throw UVError(.timedOut, in: "transfer")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
