internal import CPlatform
internal import Synchronization

/// Tells that a loop has ended.
final class LoopEnding: Sendable {
    private struct State {
        var isOver = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let runner = Atomic<UInt>(0)
    private let isEnding = Atomic<Bool>(false)

    /// The thread that runs the loop, for captures; 0 before and afterwards, and between the turns of a driven loop.
    var thread: UInt { runner.load(ordering: .acquiring) }
    /// Whether the loop has begun to close what is on it.
    var hasBegun: Bool { isEnding.load(ordering: .acquiring) }

    /// The loop is about to run, on the calling thread.
    func runBegins() {
        cplatform_allow_captures()
        runner.store(cplatform_thread(), ordering: .releasing)
    }

    func runEnds() { runner.store(0, ordering: .releasing) }

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
        runEnds()
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
