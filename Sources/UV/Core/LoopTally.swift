internal import Synchronization

/// A number that one thread changes and any thread reads. The change is a load and a store, not a locked instruction.
package struct TallyCount: ~Copyable, Sendable {
    private let number = Atomic<Int>(0)

    package init() {}

    @inline(__always)
    package func add(_ more: Int) { number.store(number.load(ordering: .relaxed) &+ more, ordering: .relaxed) }

    package var value: Int { number.load(ordering: .relaxed) }
}

/// What a loop's sockets and pipes have done. Only the loop's thread writes, any thread may read, also when the loop is stuck or gone.
package final class LoopTally: Sendable {
    package let bytesReceived = TallyCount()
    package let bytesSent = TallyCount()
    /// Connections that are open.
    package let connections = TallyCount()
    package let accepted = TallyCount()
    /// Connections that this side has opened.
    package let connected = TallyCount()
    /// How often accepting paused because the system was out of something.
    package let acceptFailures = TallyCount()
}

extension Loop {
    /// What the sockets and pipes of a loop have done since its creation.
    public struct Traffic: Hashable, Sendable {
        /// Bytes that streams and UDP sockets have received.
        public let bytesReceived: Int
        /// Bytes that the system took from streams and UDP sockets; those that wait in a queue are not among them.
        public let bytesSent: Int
        /// Connections by TCP and local sockets that are open.
        public let connections: Int
        /// Connections that listeners have accepted.
        public let accepted: Int
        /// Connections that this side has opened.
        public let connected: Int
        /// How often a listener has paused because the system was out of descriptors or the like. It tries again after 50 ms.
        public let acceptFailures: Int
    }

    /// What the sockets and pipes of the loop have done so far. Also of a closed loop.
    public var traffic: Traffic {
        checkThread("Loop")
        return Traffic(tally)
    }
}

extension Loop.Traffic {
    /// On any thread. The numbers are read one after the other, while the loop may go on.
    package init(_ tally: LoopTally) {
        // First those that are open: otherwise there could seem to be more connections than were ever made.
        connections = tally.connections.value
        bytesReceived = tally.bytesReceived.value
        bytesSent = tally.bytesSent.value
        accepted = tally.accepted.value
        connected = tally.connected.value
        acceptFailures = tally.acceptFailures.value
    }
}
