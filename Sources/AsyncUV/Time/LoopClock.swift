internal import UV

/// The clock of a loop: monotonic, and what sleeps on it comes back on the loop.
///
/// It wakes nobody early, and within about two milliseconds.
public struct LoopClock: Clock {
    /// A point in time, counted from an arbitrary start.
    public struct Instant: InstantProtocol, Hashable, Sendable {
        let time: Duration

        /// The present.
        public static var now: Self { Self(time: Loop.hrtime) }

        public func advanced(by duration: Duration) -> Self { Self(time: time.saturatingAdd(duration)) }

        public func duration(to other: Self) -> Duration { other.time - time }

        public static func < (left: Self, right: Self) -> Bool { left.time < right.time }

        public static func + (instant: Self, duration: Duration) -> Self { instant.advanced(by: duration) }

        public static func - (instant: Self, duration: Duration) -> Self { instant.advanced(by: .zero - duration) }

        /// The time from the right one to the left one.
        public static func - (left: Self, right: Self) -> Duration { right.duration(to: left) }
    }

    /// The loop whose timers are used.
    public let loop: EventLoop

    /// The clock of a loop.
    public init(loop: EventLoop = .current ?? .shared) { self.loop = loop }

    public var now: Instant { .now }

    public var minimumResolution: Duration { .milliseconds(1) }

    /// Waits until the deadline; one that has passed still gives way to others once.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled, and when the loop ends: other libraries
    ///   (swift-async-algorithms) know no other error of a clock, and end the process.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        do { try await loop.sleep(until: deadline) } catch let error as UVError where error.code == .canceled {
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

    /// Waits at least that long; zero and less gives way to others once.
    ///
    /// - Throws: As ``sleep(until:)``.
    public func sleep(for duration: Duration) async throws {
        try await sleep(until: .now.advanced(by: duration))
    }

    /// Waits until the deadline, never less; one that has passed gives way to others once.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled, ``UVError`` with `.canceled` when the loop ends.
    ///   Nothing of a cancelled sleep stays in memory. A deadline that has passed needs no loop.
    public func sleep(until deadline: LoopClock.Instant) async throws {
        if deadline <= .now {
            try checkCancellation()
            return await giveWay()
        }
        try await perform("sleep") { core, pending in try core.sleepers.add(deadline.time, pending) }
    }

    /// A sequence that yields the time at each multiple of the interval from now on.
    ///
    /// Ticks that nobody was there for are left out. It ends with a throw when the task is cancelled or the loop ends.
    public func ticks(every interval: Duration) -> Ticks { Ticks(loop: self, interval: interval) }
}

/// See ``EventLoop/ticks(every:)``.
public struct Ticks: AsyncSequence, Sendable {
    public typealias Element = LoopClock.Instant

    let loop: EventLoop
    let interval: Duration

    public struct AsyncIterator: AsyncIteratorProtocol {
        let loop: EventLoop
        let interval: Duration
        var next: LoopClock.Instant

        public mutating func next() async throws -> LoopClock.Instant? {
            guard interval > .zero else {
                throw UVError(.invalidArgument, in: "ticks", of: "an interval of \(interval)")
            }
            let late = LoopClock.Instant.now - next
            if late >= .zero {
                let missed = late.attoseconds / interval.attoseconds
                next = next + Duration(attoseconds: (missed + 1) * interval.attoseconds)
            }
            try await loop.sleep(until: next)
            next = next + interval
            return .now
        }

        // As in TCPConnection's.
        public nonisolated(nonsending) mutating func next(
            isolation actor: (any Actor)?
        ) async throws -> LoopClock.Instant? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(loop: loop, interval: interval, next: .now.advanced(by: interval))
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
