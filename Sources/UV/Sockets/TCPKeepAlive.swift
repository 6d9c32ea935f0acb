/// When the kernel asks a silent peer whether it is still there.
public struct TCPKeepAlive: Hashable, Sendable {
    /// Silence before the first question, 1 to 32,767 s.
    public var idle: Duration
    /// Time between questions, 1 to 32,767 s.
    public var interval: Duration
    /// Questions without an answer that end the connection with `.timedOut`, 1 to 127.
    public var count: Int

    /// Durations are rounded up to whole seconds.
    public init(idle: Duration = .seconds(60), interval: Duration = .seconds(10), count: Int = 6) {
        self.idle = idle
        self.interval = interval
        self.count = count
    }
}
