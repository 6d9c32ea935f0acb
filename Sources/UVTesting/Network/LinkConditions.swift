/// How bytes and datagrams travel between two sides of a ``TestNetwork``, in each direction. Without a word: at once, and all of them.
public struct LinkConditions: Sendable {
    /// How long a byte is under way.
    public var latency: Duration
    /// How much longer it may be under way: a random time up to this one. Streams stay in order.
    public var jitter: Duration
    /// How many bytes leave in a second; `nil` for no limit.
    public var bandwidth: Int?
    /// How many bytes of a stream may be under way or wait for the reader; a write waits for room.
    public var buffer: Int
    /// Whether a read gets a random part of what is there.
    public var hasShortReads: Bool
    /// Whether the system takes random parts of a write, one after the other; the reader gets them as they come.
    public var hasShortWrites: Bool
    /// The probability that a connection breaks with a piece of a write: both sides find it reset.
    public var resets: Double
    /// The probability that a datagram is lost.
    public var loss: Double
    /// The probability that a datagram comes twice.
    public var duplication: Double
    /// The probability that a datagram is overtaken by those that are sent in the next ``reorderingDelay``.
    public var reordering: Double
    /// How much later a datagram comes that is overtaken.
    public var reorderingDelay: Duration

    /// What is left out is perfect: no delay, no limit, no loss.
    public init(
        latency: Duration = .zero, jitter: Duration = .zero, bandwidth: Int? = nil, buffer: Int = 65_536,
        hasShortReads: Bool = false, hasShortWrites: Bool = false, resets: Double = 0, loss: Double = 0,
        duplication: Double = 0, reordering: Double = 0, reorderingDelay: Duration = .milliseconds(10)
    ) {
        self.latency = latency
        self.jitter = jitter
        self.bandwidth = bandwidth
        self.buffer = buffer
        self.hasShortReads = hasShortReads
        self.hasShortWrites = hasShortWrites
        self.resets = resets
        self.loss = loss
        self.duplication = duplication
        self.reordering = reordering
        self.reorderingDelay = reorderingDelay
    }

    /// A network across an ocean on a bad day: 80 to 120 ms, 1 MB/s, short reads and writes; 2 % of datagrams are lost, 1 % come
    /// twice, 5 % out of order. Streams are not reset.
    public static let rough = Self(
        latency: .milliseconds(80), jitter: .milliseconds(40), bandwidth: 1_000_000, hasShortReads: true,
        hasShortWrites: true, loss: 0.02, duplication: 0.01, reordering: 0.05, reorderingDelay: .milliseconds(100))

    /// How long a number of bytes takes to leave.
    func time(for count: Int) -> Duration {
        guard let bandwidth, count > 0 else { return .zero }
        return .nanoseconds(Int64(clamping: (Int128(count) * 1_000_000_000) / Int128(max(1, bandwidth))))
    }

    /// How long something is under way.
    func travelTime(_ random: inout TestRandom) -> Duration {
        guard jitter > .zero else { return latency }
        return latency + .nanoseconds(Int64.random(in: 0...jitter.wholeNanoseconds, using: &random))
    }
}

extension Duration {
    /// Rounded down; three centuries at most.
    var wholeNanoseconds: Int64 { Int64(clamping: attoseconds / 1_000_000_000) }
}
