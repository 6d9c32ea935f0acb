internal import UV

/// Ends a wait at a deadline.
private final class TimeLimit: TimerEntry {
    private let wait: WaitLink
    private let error: () -> UVError

    init(_ wait: WaitLink, until deadline: Duration, _ error: @escaping () -> UVError) {
        self.wait = wait
        self.error = error
        super.init(deadline: deadline)
    }

    override func fire() { wait.give(up: error()) }
}

/// What is left of a time that several waits share.
struct TimeLeft {
    private let deadline: LoopClock.Instant?

    /// - Parameter isNeeded: Whether anything will wait: else the clock is not looked at.
    init(_ timeout: Duration?, isNeeded: Bool = true) {
        deadline = isNeeded ? timeout.map { LoopClock.Instant.now.advanced(by: $0) } : nil
    }

    /// `nil` for a time without an end.
    var left: Duration? { deadline.map { $0 - .now } }
}

extension EventLoop {
    /// As ``value(of:)``; ends the wait after a time, `nil` for none.
    ///
    /// - Parameter error: What it throws then, with `.timedOut`.
    func value<Value>(
        of wait: Wait<Value>, within timeout: Duration?, _ error: @escaping () -> UVError
    ) async throws -> Value {
        guard let timeout else { return try await value(of: wait) }
        let sleeps = core.open(on: self).sleeps
        let limit = TimeLimit(wait, until: LoopClock.Instant.now.advanced(by: timeout).time, error)
        do { try sleeps.add(limit) } catch {
            wait.give(up: error)
            throw error
        }
        // A loop that has ended has no queue any more.
        defer { if isCurrent, limit.isQueued { sleeps.remove(limit) } }
        return try await value(of: wait)
    }

    /// As ``perform(_:_:)``; ends the operation after a time, `nil` for none, as a cancellation does.
    ///
    /// - Parameter subject: What the operation is done to, for the error.
    func perform<Value: Sendable>(
        _ operation: StaticString, of subject: @autoclosure @Sendable () -> String?, within timeout: Duration?,
        _ begin: @Sendable (LoopCore, Wait<Value>) throws -> Void
    ) async throws -> Value {
        guard hostsCurrentTask else {
            return try await hop { try await self.perform(operation, of: subject(), within: timeout, begin) }
        }
        try checkCancellation()
        let wait = Wait<Value>(operation)
        try start(wait) { core in try begin(core, wait) }
        guard let timeout else { return try await value(of: wait) }
        let subject = subject()
        return try await value(of: wait, within: timeout) { UVError(.timedOut, in: "\(operation)", of: subject) }
    }
}
