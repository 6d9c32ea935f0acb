/// A wait on a loop for something that another module makes up. On the loop's thread only.
package final class TwinWait {
    /// The wait, with a name for lists of what waits.
    final class Link: Wait<Void> {
        let subject: String

        init(_ operation: StaticString, _ subject: String) {
            self.subject = subject
            super.init(operation)
        }
    }

    private let link: Link

    fileprivate init(_ link: Link) { self.link = link }

    /// Called when the waiting task is cancelled, its time is over or the loop ends.
    package var onCancel: (() -> Void)? {
        get { link.onCancel }
        set { link.onCancel = newValue }
    }

    /// Ends the wait, once.
    package func finish(throwing error: (any Error)? = nil) {
        link.finish(error.map { .failure($0) } ?? .success(()))
    }
}

extension EventLoop {
    /// Waits for something that another module makes up, on the loop.
    ///
    /// - Parameter begin: Keeps the wait, or finishes it at once. On the loop's thread.
    /// - Throws: `CancellationError`, ``UVError`` with `.timedOut`, or with `.canceled` when the loop ends.
    package func wait(
        _ operation: StaticString, of subject: String, within timeout: Duration? = nil,
        _ begin: @Sendable (TwinWait) throws -> Void
    ) async throws {
        guard hostsCurrentTask else {
            return try await hop { try await self.wait(operation, of: subject, within: timeout, begin) }
        }
        try checkCancellation()
        let link = TwinWait.Link(operation, subject)
        try start(link) { _ in try begin(TwinWait(link)) }
        try await value(of: link, within: timeout) { UVError(.timedOut, in: "\(operation)", of: subject) }
    }

    /// Calls a closure at a time of the loop's clock, in the order of the times; at the end of what runs now if the time has come.
    /// On the loop's thread only.
    package func call(at time: LoopClock.Instant, _ call: @escaping () -> Void) throws(UVError) {
        let entry = TwinCall(at: time.time, call)
        if time > now { return try core.open(on: self).sleeps.add(entry) }
        let bound = LoopBound(entry)
        post { bound.open(on: self).fire() }
    }
}

private final class TwinCall: TimerEntry {
    private let call: () -> Void

    init(at time: Duration, _ call: @escaping () -> Void) {
        self.call = call
        super.init(deadline: time)
    }

    override func fire() { call() }
}
