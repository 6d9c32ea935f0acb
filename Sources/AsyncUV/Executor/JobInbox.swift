internal import UV

/// Jobs and calls that other threads want to run on the loop. They gather in one batch, behind one lock, with one wake-up.
final class JobInbox: Sendable {
    struct Batch: Sendable {
        var jobs: [JobQueue.Entry] = []
        var calls: [@Sendable () -> Void] = []
        var isEmpty: Bool { jobs.isEmpty && calls.isEmpty }
    }

    private struct State: Sendable {
        var batch = Batch()
        var isClosed = false
    }

    private let state = Lock(State())
    private let waker: Waker

    init(_ waker: Waker) { self.waker = waker }

    /// Adds to the batch; false when the loop has ended.
    func add(_ change: (inout Batch) -> Void) -> Bool {
        let (isTaken, isFirst) = state.withLock { state in
            if state.isClosed { return (false, false) }
            let isFirst = state.batch.isEmpty
            change(&state.batch)
            return (true, isFirst)
        }
        if isFirst { waker.wake() }
        return isTaken
    }

    /// How many jobs and calls wait to be taken.
    var count: Int { state.withLock { $0.batch.jobs.count + $0.batch.calls.count } }

    /// Takes the batch, leaving an empty one with room.
    func take(into batch: inout Batch) {
        state.withLock { swap(&$0.batch, &batch) }
    }

    /// Takes the last batch. From then on nothing can be added.
    func close() -> Batch {
        state.withLock { state in
            state.isClosed = true
            defer { state.batch = Batch() }
            return state.batch
        }
    }
}
