/// What one run of `load` saw, as its `--json` prints it.
public struct LoadResult: Codable, Sendable {
    public var requests: UInt64
    public var seconds: Double
    /// Microseconds from a burst's first byte sent to its last byte back.
    public var latency: Latency
    /// CPU time of the server within the window, if a process was named.
    public var serverCPUSeconds: Double?

    public struct Latency: Codable, Sendable {
        public var p50, p90, p99, p999, max: Double

        public init(p50: Double, p90: Double, p99: Double, p999: Double, max: Double) {
            (self.p50, self.p90, self.p99, self.p999, self.max) = (p50, p90, p99, p999, max)
        }
    }

    public init(requests: UInt64, seconds: Double, latency: Latency, serverCPUSeconds: Double?) {
        (self.requests, self.seconds) = (requests, seconds)
        (self.latency, self.serverCPUSeconds) = (latency, serverCPUSeconds)
    }

    public var requestsPerSecond: Double { Double(requests) / seconds }
    public var cpuMicrosecondsPerRequest: Double { (serverCPUSeconds ?? .nan) / Double(requests) * 1e6 }
    /// The share of the window in which the server was on its core: below 1, it waited for the load.
    public var serverBusy: Double { (serverCPUSeconds ?? .nan) / seconds }
}
