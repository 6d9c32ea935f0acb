extension EventLoop {
    /// Waits at least that long; zero and less gives way to others once.
    ///
    /// - Parameter tolerance: As in ``sleep(until:tolerance:)``.
    /// - Throws: As there.
    public func sleep(for duration: Duration, tolerance: Duration? = nil) async throws {
        try await sleep(until: now.advanced(by: duration), tolerance: tolerance)
    }

    /// Waits until the deadline, never less; one that has passed gives way to others once.
    ///
    /// - Parameter tolerance: How much later the task may go on. Sleeps that may wait for each other wake together, which
    ///   spares the processor wake-ups; more than a few milliseconds are needed for it. The other lateness of a loop, about
    ///   two milliseconds, comes on top. `nil` stands for this lateness alone. With less than a millisecond, such as `.zero`,
    ///   the kernel's own timers wake the task, which are some tens of microseconds late, for a system call each time and two
    ///   descriptors of the loop. Systems without `timerfd` take it as `nil`.
    /// - Throws: `CancellationError` at once when the task is cancelled, ``UVError`` with `.canceled` when the loop ends, with
    ///   `.tooManyOpenFiles` when there are no descriptors for the loop's first sleep with a tolerance of less than a
    ///   millisecond. Nothing of a cancelled sleep stays in memory. A deadline that has passed needs no loop.
    public func sleep(until deadline: LoopClock.Instant, tolerance: Duration? = nil) async throws {
        if deadline <= now {
            try checkCancellation()
            return await giveWay()
        }
        guard hostsCurrentTask else { return try await sleepElsewhere(until: deadline, tolerance) }
        try checkCancellation()
        try await value(of: begin(until: deadline, tolerance))
    }

    /// Apart, so that what it needs is not in the frame of each task that sleeps.
    @inline(never)
    private func begin(until deadline: LoopClock.Instant, _ tolerance: Duration?) throws -> Sleep {
        let core = core.open(on: self)
        let queue = tolerance.isPrecise ? core.preciseSleeps : core.sleeps
        let sleep = Sleep(until: deadline.time.roundedUp(within: tolerance ?? .zero), in: queue)
        try start(sleep) { _ in try queue.add(sleep) }
        return sleep
    }

    /// Apart, so that what it keeps across its suspensions is not in everybody's frame.
    @inline(never)
    private func sleepElsewhere(until deadline: LoopClock.Instant, _ tolerance: Duration?) async throws {
        try await hop { try await self.sleep(until: deadline, tolerance: tolerance) }
    }

    /// Starts a task that prefers the loop, after a delay. Cancel it to call it off.
    ///
    /// The task's `value` throws if the body did not begin: `CancellationError`, or ``UVError`` with `.canceled` because the
    /// loop has ended.
    @discardableResult
    public func schedule(
        after delay: Duration, tolerance: Duration? = nil, _ body: @escaping @Sendable () async -> Void
    ) -> Task<Void, any Error> {
        let deadline = now.advanced(by: delay)
        return Task(executorPreference: self) {
            try await self.sleep(until: deadline, tolerance: tolerance)
            await body()
        }
    }
}

extension Duration? {
    /// Whether a tolerance asks for more than the loop's own timers can do.
    fileprivate var isPrecise: Bool {
        #if os(Linux)
        if let self { self < .milliseconds(1) } else { false }
        #else
        false
        #endif
    }
}

extension Duration {
    /// The last of the times from this one on to the tolerance's end that all share: multiples of a power of two of
    /// nanoseconds.
    fileprivate func roundedUp(within tolerance: Duration) -> Duration {
        // Within this century, and up to 34 years later.
        guard tolerance >= .nanoseconds(1), self < .seconds(1 << 32) else { return self }
        let grid = Int64(1) << (63 - min(tolerance, .seconds(1 << 30)).nanoseconds.leadingZeroBitCount)
        return .nanoseconds((nanoseconds / grid + 1) * grid)
    }

    /// Rounded down.
    private var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
