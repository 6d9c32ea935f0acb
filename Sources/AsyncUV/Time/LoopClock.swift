internal import CPlatform
internal import UV

/// The clock of a loop: monotonic, and what sleeps on it comes back on the loop.
///
/// It wakes nobody early, and within about two milliseconds; sooner where a tolerance of less than a millisecond asks for it.
public struct LoopClock: Clock {
    /// A point in time, counted from an arbitrary start.
    public struct Instant: InstantProtocol, Hashable, Sendable {
        let time: Duration

        /// The present. On the thread of a `TestLoop` (module `UVTesting`) it is that loop's.
        public static var now: Self { Self(time: Loop.time) }

        /// The moment that is so much later; the farthest that there is instead of an overflow.
        public func advanced(by duration: Duration) -> Self { Self(time: time.saturatingAdd(duration)) }

        /// How much later the other moment is; negative when it is earlier.
        public func duration(to other: Self) -> Duration { other.time - time }

        public static func < (left: Self, right: Self) -> Bool { left.time < right.time }

        /// The moment that is so much later.
        public static func + (instant: Self, duration: Duration) -> Self { instant.advanced(by: duration) }

        /// The moment that is so much earlier.
        public static func - (instant: Self, duration: Duration) -> Self { instant.advanced(by: .zero - duration) }

        /// The time from the right one to the left one.
        public static func - (left: Self, right: Self) -> Duration { right.duration(to: left) }
    }

    /// The loop whose timers are used.
    public let loop: EventLoop

    /// The clock of a loop.
    public init(loop: EventLoop = .current ?? .shared) { self.loop = loop }

    /// The present moment. On any thread.
    public var now: Instant { loop.now }

    /// A millisecond: with a tolerance of zero a sleep is more exact than that.
    public var minimumResolution: Duration { .milliseconds(1) }

    /// Waits until the deadline; one that has passed still gives way to others once.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled, and when the loop ends: other libraries
    ///   (swift-async-algorithms) know no other error of a clock, and end the process.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        do { try await loop.sleep(until: deadline, tolerance: tolerance) } catch let error as UVError
            where error.code == .canceled
        {
            throw CancellationError()
        }
    }
}

extension LoopClock.Instant: CustomStringConvertible {
    /// For people: the time since the clock's arbitrary start, such as `5721.120394 seconds`.
    public var description: String { "\(time)" }
}

extension EventLoop {
    /// The loop's clock.
    public var clock: LoopClock { LoopClock(loop: self) }

    /// The present by the loop's clock, wherever the caller is.
    var now: LoopClock.Instant { twinClock.map { LoopClock.Instant(time: $0.time) } ?? .now }
}

extension Loop {
    /// The present by the clock that the timers of this layer go by: the system's, or that of the ``LoopTwin`` on this thread.
    static var time: Duration {
        let time = cplatform_test_time()
        return time == 0 ? hrtime : .nanoseconds(time)
    }
}

extension Duration {
    /// The sum, or the largest duration there is.
    fileprivate func saturatingAdd(_ other: Duration) -> Duration {
        let limit = Duration.seconds(Int64.max / 2)
        if other > limit { return limit }
        if other < .zero - limit { return .zero - limit }
        return self + other
    }
}
