import AsyncUV
import Synchronization

/// Until when something has to happen on a connection: one task for each connection looks after that, and reads and answers
/// only say what is waited for.
final class Patience: Sendable {
    /// What a connection waits for.
    enum Phase {
        /// Nothing of a next request has come.
        case betweenRequests
        case request
        case answer
        /// It waits for the server.
        case server
    }

    private struct State {
        var phase = Phase.betweenRequests
        /// When the phase began.
        var start = LoopClock.Instant.now
        var lastProgress = LoopClock.Instant.now
        /// Of an answer.
        var bytes: Int64 = 0
    }

    private let limits: ServerLimits
    private let state = Mutex(State())

    private init(_ limits: ServerLimits) { self.limits = limits }

    /// What is waited for now.
    var phase: Phase { state.withLock { $0.phase } }

    /// Something begins, or goes on: the client has been heard of.
    func waits(for phase: Phase) {
        let now = LoopClock.Instant.now
        state.withLock { state in
            if state.phase != phase || phase == .answer { state = State(phase: phase, start: now, lastProgress: now) }
            state.lastProgress = now
        }
    }

    /// So many bytes of the answer have gone so far.
    func reached(_ bytes: Int64) {
        let now = LoopClock.Instant.now
        state.withLock {
            $0.bytes = bytes
            $0.lastProgress = now
        }
    }

    private var deadline: LoopClock.Instant {
        let state = state.withLock { $0 }
        let idle = state.lastProgress + limits.idle
        switch state.phase {
        case .betweenRequests: return idle
        case .request: return min(idle, state.start + limits.request)
        // One byte a millisecond, 1 KB/s, is the slowest line on average: who takes a byte now and then is not idle, but
        // holds a file open.
        case .answer: return min(idle, state.start + limits.idle + .milliseconds(state.bytes))
        case .server: return .now + limits.idle
        }
    }

    /// Runs a conversation, which is cancelled when the client takes too long.
    ///
    /// - Returns: What the client was waited for when it was; `nil` when the conversation has ended by itself.
    static func limit(
        _ limits: ServerLimits, on loop: EventLoop,
        _ conversation: @escaping @Sendable (Patience) async throws -> Void
    ) async throws -> Phase? {
        let patience = Patience(limits)
        return try await withThrowingTaskGroup(of: Phase?.self) { group in
            group.addTask {
                try await conversation(patience)
                return nil
            }
            group.addTask {
                let shortest = min(limits.idle, limits.request)
                while true {
                    let now = LoopClock.Instant.now, deadline = patience.deadline
                    if deadline <= now { return patience.phase }
                    // A phase that begins meanwhile may end before the deadline of this one, but not before this.
                    try await loop.sleep(until: min(deadline, now + shortest))
                }
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}
