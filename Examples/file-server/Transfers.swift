import AsyncUV
import Synchronization

/// The large answers that are under way, so that those to very slow clients are ended.
///
/// The connection's idle timeout ends an answer of which nothing moves. A client that takes a byte now and then is not idle, but
/// holds a file open. One task looks after all answers, because a task for each would cost more than the answer.
final class Transfers: Sendable {
    /// How far an answer has come.
    final class Progress: Sendable {
        private let start: LoopClock.Instant
        private let bytes = Atomic<Int64>(0)

        init(from start: LoopClock.Instant = .now) { self.start = start }

        /// So many bytes have gone so far.
        func reached(_ count: Int64) { bytes.store(count, ordering: .relaxed) }

        /// One byte a millisecond, 1 KB/s, is the slowest line on average, after a start of the idle timeout.
        func isTooSlow(at now: LoopClock.Instant, idle: Duration) -> Bool {
            now > start + idle + .milliseconds(bytes.load(ordering: .relaxed))
        }
    }

    private let underWay = Mutex<[ObjectIdentifier: (client: TCPConnection, progress: Progress)]>([:])

    /// Notes that an answer begins; a connection has one at a time.
    func begin(to client: TCPConnection) -> Progress {
        let progress = Progress()
        underWay.withLock { $0[ObjectIdentifier(client)] = (client, progress) }
        return progress
    }

    func end(to client: TCPConnection) { underWay.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(client)) } }

    /// Takes out the clients that are too slow.
    func removeSlow(idle: Duration) -> [TCPConnection] {
        let now = LoopClock.Instant.now
        return underWay.withLock { underWay in
            let slow = underWay.filter { $1.progress.isTooSlow(at: now, idle: idle) }
            for key in slow.keys { underWay[key] = nil }
            return slow.values.map(\.client)
        }
    }
}
