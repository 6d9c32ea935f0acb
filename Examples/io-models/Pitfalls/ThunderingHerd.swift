import CReadiness
import Readiness
import Synchronization

/// Several threads wait for one listener.
struct ThunderingHerd: Pitfall {
    let name = "thundering-herd"
    let lesson = """
        Each of several pollers that watch one listener is woken for each connection; one gets it, the others came \
        for nothing. Watch exclusively (EPOLLEXCLUSIVE), or give each thread a listener of its own (SO_REUSEPORT).
        """

    func wrong() throws -> Finding { try run(exclusive: false) }
    func right() throws -> Finding { try run(exclusive: true) }

    /// Eight threads, one connection. Nobody takes it, so that everybody who was woken is counted.
    private func run(exclusive: Bool) throws -> Finding {
        let listener = try Socket.listening(on: .anyLoopback, blocking: false)
        let (ready, gone) = (Doorbell(), Doorbell())
        let woken = Mutex(0)
        let wakers = Mutex<[Waker]>([])
        for _ in 0..<8 {
            try WorkerThread.start {
                defer { gone.ring() }
                guard var poller = try? EpollPoller() else { return ready.ring() }
                if exclusive {
                    try? poller.addExclusively(listener.descriptor, .readable)
                } else {
                    try? poller.add(listener.descriptor, .readable)
                }
                wakers.withLock { $0.append(poller.waker) }
                ready.ring()
                if let events = try? poller.wait(), !events.isEmpty { woken.withLock { $0 += 1 } }
            }
        }
        for _ in 0..<8 { ready.wait() }
        pause()  // all sleep now
        let client = try Socket.connected(to: listener.localEndpoint!)
        pause()  // all who are woken have come
        let count = woken.withLock { $0 }
        for waker in wakers.withLock({ $0 }) { waker.wake() }
        for _ in 0..<8 { gone.wait() }
        withExtendedLifetime(client) {}
        return Finding(text: "8 threads wait, 1 connection comes: \(count) woken", isTrouble: count > 2)
    }

    private func pause() { _ = readiness_sleep_until(readiness_clock() + 100_000_000) }
}
