/// What `one-busy` saw at one number of watched connections, as its `--json` prints it.
public struct WatchResult: Codable, Sendable {
    /// Idle connections that the server watches beside the busy one.
    public var watched: Int
    /// Messages that were echoed on the busy one.
    public var events: Int
    public var serverCPUSeconds: Double

    public init(watched: Int, events: Int, serverCPUSeconds: Double) {
        (self.watched, self.events, self.serverCPUSeconds) = (watched, events, serverCPUSeconds)
    }

    public var cpuMicrosecondsPerEvent: Double { serverCPUSeconds / Double(events) * 1e6 }
}
