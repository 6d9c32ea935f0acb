public import UV

/// Lets another loop of libuv drive a loop, on one thread: for a library that brings a loop of its own.
///
/// The outer loop runs on for as long as the inner one has something to do, and no longer. Closing the outer loop's
/// handles ends the turns.
public final class NestedLoopAdapter {
    private let driver: LoopDriver
    private let poll: PollHandle
    private let timer: TimerHandle
    /// Asks for the timeout before each wait.
    private let prepare: PrepareHandle

    /// Starts to make the driver's turns in the turns of a loop.
    ///
    /// - Throws: ``UVError`` with `.resourceBusy` when an adapter has the driver, `.invalidArgument` for a loop that
    ///   is to drive itself, `.badFileDescriptor` when one of the two is closed, `.tooManyOpenFiles` when there is no
    ///   descriptor left.
    public init(_ driver: LoopDriver, in outer: Loop) throws(UVError) {
        if outer === driver.loop {
            throw UVError(.invalidArgument, in: "attach", of: "a loop to itself: it needs another one to drive it")
        }
        try driver.attach(to: "another loop")
        var made: [Handle] = []
        do throws(UVError) {
            self.driver = driver
            poll = try PollHandle(on: outer, watching: driver.descriptor)
            made.append(poll)
            timer = try TimerHandle(on: outer)
            made.append(timer)
            prepare = try PrepareHandle(on: outer)
            made.append(prepare)
            for (handle, label) in [
                (poll, "inner loop"), (timer, "inner loop's timer"), (prepare, "inner loop's timeout"),
            ]
                as [(Handle, String)]
            {
                handle.label = label
            }
            timer.keepsLoopAlive = false
            prepare.keepsLoopAlive = false
            try poll.start(.readable) { _, _ in self.turn() }
            try prepare.start { _ in self.prepareToWait() }
            prepareToWait()
        } catch {
            for handle in made { handle.close() }
            driver.detach()
            throw error
        }
    }

    /// Ends the turns; the driver may be attached elsewhere. A second call does nothing.
    public func detach() {
        guard !prepare.isClosing else { return }
        for handle in [poll, timer, prepare] as [Handle] { handle.close() }
        driver.detach()
    }

    private func turn() {
        driver.turn()
        if driver.hasEnded { detach() } else { poll.keepsLoopAlive = driver.isAlive }
    }

    private func prepareToWait() {
        if driver.hasEnded { return detach() }
        // In a turn of the inner loop the outer one does not run, so this is between two turns.
        poll.keepsLoopAlive = driver.isAlive
        guard let timeout = driver.timeout else { return timer.stop() }
        // Both loops have the same clock.
        let due = driver.loop.now + timeout
        try? timer.start(atMillisecond: UInt64(due / .milliseconds(1))) { _ in self.turn() }
    }
}
