internal import Dispatch
internal import Synchronization
internal import UV

/// A value that a thread waits for.
final class Promise<Value: Sendable>: Sendable {
    private struct State {
        var value: Result<Value, any Error>?
        var waker: Waker?
    }

    private let state = Mutex(State())
    private let arrived = DispatchSemaphore(value: 0)

    func fulfil(_ result: Result<Value, any Error>) {
        let waker = state.withLock { state in
            state.value = result
            return state.waker
        }
        waker?.wake()
        arrived.signal()
    }

    /// Blocks the calling thread until the value is there. On the main thread the main actor's code runs meanwhile, because the
    /// code that makes the value may wait for it.
    func waitServingMainQueue() {
        if state.withLock({ $0.value != nil }) { return }
        guard let loop = try? Loop() else { return }
        if let mainQueue = try? MainQueueHandle(on: loop) {
            let wakeup = try? WakeupHandle(on: loop) { wakeup in
                wakeup.close()
                mainQueue.close()
            }
            state.withLock { state in
                state.waker = wakeup?.waker
                if state.value != nil { state.waker?.wake() }
            }
            _ = try? loop.run()
        }
        try? loop.closeAllHandles()
        _ = try? loop.run()
        try? loop.close()
    }

    /// Blocks the calling thread. To be called once.
    func wait() -> Result<Value, any Error> {
        arrived.wait()
        guard let value = state.withLock({ $0.value }) else { fatalError("a promise was signalled without a value") }
        return value
    }
}
