internal import UV

extension EventLoop {
    /// A sequence that yields the time at each multiple of the interval from now on.
    ///
    /// Ticks that nobody was there for are left out. It ends with a throw when the task is cancelled or the loop ends.
    public func ticks(every interval: Duration) -> Ticks {
        Ticks(loop: self, interval: interval)
    }
}

/// The time at each multiple of an interval: see ``EventLoop/ticks(every:)``.
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
            let late = loop.now - next
            if late >= .zero {
                let missed = late.attoseconds / interval.attoseconds
                next = next + Duration(attoseconds: (missed + 1) * interval.attoseconds)
            }
            try await loop.sleep(until: next)
            next = next + interval
            return loop.now
        }

        // As in TCPConnection's.
        public nonisolated(nonsending) mutating func next(
            isolation actor: (any Actor)?
        ) async throws -> LoopClock.Instant? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(loop: loop, interval: interval, next: loop.now.advanced(by: interval))
    }
}
