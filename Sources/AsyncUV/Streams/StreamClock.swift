internal import UV

/// The time limits of one connection: its idle timeout, and the timeout of the read that waits. On the loop's thread only.
///
/// It is one entry of the loop's queue for all waits of the connection. A wait notes its times; the entry looks at them when it
/// is due, and joins the queue anew for what is left. So a read that waits costs a look at the clock, and nothing when it ends.
final class StreamClock: TimerEntry {
    /// A write, or the end of our side, that waits for the peer.
    private struct Sending {
        let wait: WaitLink
        /// When it began, or when a byte has moved since.
        var since: ShortTime
    }

    /// Few connections have writes that wait.
    private final class Sendings {
        var all: [Sending] = []
        /// How many bytes had not reached the peer at the last look: another number later means that some have moved.
        var bytes = 0
        /// When the next look was to be.
        var nextLook = ShortTime.never
    }

    /// The system does not tell when the peer takes a part of a write. So while one waits, the clock looks so many times in an idle
    /// timeout, and no more often than this.
    private static let looks: Int64 = 128
    private static let leastPause = ShortTime(.milliseconds(1))

    // A closed connection leaves the queue, and its core keeps the clock no longer than itself.
    private unowned let core: StreamCore
    private unowned let queue: SleepQueue
    private var idleTime = ShortTime.never
    /// When the read that waits began, or when a byte has moved since.
    private var readingSince = ShortTime.never
    /// When the read that waits ends by its own timeout.
    private var readDeadline = ShortTime.never
    private var sendings: Sendings?

    init(of core: StreamCore, in queue: SleepQueue) {
        self.core = core
        self.queue = queue
        super.init()
    }

    /// The time without a byte that ends a wait; `nil` for none. It counts for waits that begin from now on.
    var idleTimeout: Duration? {
        get { idleTime == .never ? nil : idleTime.duration }
        set { idleTime = newValue.map { ShortTime(roundingUp: $0) } ?? .never }
    }

    private static var now: ShortTime { ShortTime(Loop.time) }

    // MARK: Waits

    /// A read begins to wait.
    func readBegins(_ timeout: Duration?) {
        if timeout == nil, idleTime == .never {
            readingSince = .never
            readDeadline = .never
            return
        }
        readingSince = Self.now
        readDeadline = timeout.map { readingSince + ShortTime(roundingUp: $0) } ?? .never
        join(for: readEnd)
    }

    /// Something that the system has no room for begins to wait.
    ///
    /// - Returns: Whether the clock watches writes now.
    func sendingBegins(_ wait: WaitLink) -> Bool {
        if idleTime == .never { return sendings != nil }
        let now = Self.now
        if let sendings { lookAtProgress(of: sendings, now) }
        let sendings = self.sendings ?? Sendings()
        self.sendings = sendings
        sendings.bytes = core.handle.leavingBytes
        sendings.all.append(Sending(wait: wait, since: now))
        sendings.nextLook = nextLook(now)
        join(for: sendings.nextLook)
        return true
    }

    /// It has ended, in whatever way.
    ///
    /// - Returns: As ``sendingBegins(_:)``.
    func sendingEnds(_ wait: WaitLink) -> Bool {
        guard let sendings else { return false }
        sendings.all.removeAll { $0.wait === wait }
        if sendings.all.isEmpty { self.sendings = nil } else { lookAtProgress(of: sendings, Self.now) }
        return self.sendings != nil
    }

    /// Bytes have moved on the connection: what waits begins to wait anew.
    func moved() { moved(Self.now) }

    private func moved(_ now: ShortTime) {
        readingSince = now
        guard let sendings else { return }
        for index in sendings.all.indices { sendings.all[index].since = now }
    }

    private func lookAtProgress(of sendings: Sendings, _ now: ShortTime) {
        let bytes = core.handle.leavingBytes
        if bytes != sendings.bytes { moved(now) }
        sendings.bytes = bytes
    }

    // MARK: The entry

    /// When the read that waits ends, if nothing comes.
    private var readEnd: ShortTime { min(readDeadline, readingSince + idleTime) }

    private func nextLook(_ now: ShortTime) -> ShortTime {
        guard let sendings else { return .never }
        let end = sendings.all.reduce(ShortTime.never) { min($0, $1.since + idleTime) }
        return min(end, now + max(idleTime / Self.looks, Self.leastPause))
    }

    private func endSendings(of sendings: Sendings, _ now: ShortTime) {
        for sending in sendings.all where sending.since + idleTime <= now {
            sending.wait.give(up: core.handle.writeError(.timedOut, in: sending.wait.operation))
        }
        sendings.all.removeAll { $0.since + idleTime <= now }
        if sendings.all.isEmpty { self.sendings = nil }
    }

    /// Makes sure that the clock looks at that time.
    private func join(for time: ShortTime) {
        let time = time.duration
        if isQueued {
            if deadline <= time { return }
            leave()
        }
        deadline = time
        // Only the queue of a loop that has ended refuses, and everything on it has ended, too.
        try? queue.add(self)
    }

    /// Forgets all limits until the next wait. To be called when the connection is closed.
    func leave() {
        if isQueued { queue.remove(self) }
    }

    override func fire() {
        if core.handle.isClosing { return }
        let now = Self.now
        var next = ShortTime.never
        if let sendings {
            lookAtProgress(of: sendings, now)
            // A loop that is late looks again after it has seen what its sockets have room for.
            let isLate = now > sendings.nextLook + max(idleTime / Self.looks, Self.leastPause)
            if !isLate { endSendings(of: sendings, now) }
            next = isLate ? now + Self.leastPause : nextLook(now)
            sendings.nextLook = next
        }
        if core.isReaderWaiting {
            if readEnd > now {
                next = min(next, readEnd)
            } else if core.handle.hasUnreadBytes {
                // The loop is late: what has come in time is read in this turn.
                next = min(next, now + Self.leastPause)
            } else {
                core.endRead(with: .failure(core.handle.readError(.timedOut, in: "read")))
            }
        }
        if next < .never { join(for: next) }
    }
}
