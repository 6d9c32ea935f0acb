internal import CPlatform
internal import Synchronization

/// Tells that a loop has ended.
final class LoopEnding: Sendable {
    private struct State {
        var isOver = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let posixThread = Atomic<UInt>(0)
    private let isEnding = Atomic<Bool>(false)

    /// The loop's thread for captures, while it runs the loop; 0 before and afterwards.
    var thread: UInt { posixThread.load(ordering: .acquiring) }
    /// Whether the loop has begun to close what is on it.
    var hasBegun: Bool { isEnding.load(ordering: .acquiring) }

    /// The loop is about to run, on the calling thread.
    func begin() {
        cplatform_allow_captures()
        posixThread.store(cplatform_posix_thread(), ordering: .releasing)
    }

    func noteProgress() { isEnding.store(true, ordering: .releasing) }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
    }

    func finish() {
        posixThread.store(0, ordering: .releasing)
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
