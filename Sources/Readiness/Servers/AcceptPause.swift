/// When descriptors have run out, the next connection stays in the backlog and the listener stays "readable": who
/// tried again at once would spin. So nothing is accepted for a moment.
struct AcceptPause {
    static let length: Duration = .milliseconds(100)

    /// Waits, unless the end is requested.
    func wait(until stop: Stop) throws(SystemError) {
        var poller = try PollPoller()
        let waker = poller.waker
        let interruption = stop.onRequest { waker.wake() }
        defer { interruption.cancel() }
        _ = try poller.wait(upTo: Self.length)
    }
}
