/// What one run of `idle` saw, as its `--json` prints it: private memory of the server.
public struct IdleResult: Codable, Sendable {
    public var connections: Int
    /// Before the first connection, in bytes.
    public var baseline: Int
    /// Per connection that has never sent a byte.
    public var silentBytes: Double
    /// Per connection that has had one message of 1 KiB echoed, and rests.
    public var usedBytes: Double

    public init(connections: Int, baseline: Int, silentBytes: Double, usedBytes: Double) {
        (self.connections, self.baseline) = (connections, baseline)
        (self.silentBytes, self.usedBytes) = (silentBytes, usedBytes)
    }
}
