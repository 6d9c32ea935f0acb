import CReadiness
import Readiness

/// Level-triggered, and watching for "writable" with nothing to write.
struct WritableSpin: Pitfall {
    let name = "writable-spin"
    let lesson = """
        A socket is nearly always writable, so a level-triggered wait for that returns at once, again and again: one \
        core at 100 %. Watch for it only while something waits to be sent.
        """

    func wrong() throws -> Finding { try run([.readable, .writable]) }
    func right() throws -> Finding { try run(.readable) }

    /// An idle connection for a fifth of a second.
    private func run(_ interest: Interest) throws -> Finding {
        let (near, far) = try Socket.pair(blocking: false)
        var poller = try EpollPoller()
        try poller.add(near.descriptor, interest)
        let (start, cpu) = (readiness_clock(), readiness_thread_cpu_clock())
        var turns = 0
        while true {
            let left = start + 200_000_000 - readiness_clock()
            guard left > 0 else { break }
            _ = try poller.wait(upTo: .nanoseconds(left))
            turns += 1
        }
        let share = 100 * (readiness_thread_cpu_clock() - cpu) / (readiness_clock() - start)
        withExtendedLifetime(far) {}
        return Finding(
            text: "200 ms with nothing to do: \(turns) turns of the loop, \(share) % of a core", isTrouble: turns > 100)
    }
}
