/// How much a client of HTTP/2 may have at a time, beside the `HTTPLimits` of each request.
///
/// ```swift
/// var limits = HTTP2Limits()
/// limits.concurrentStreams = 20
/// let server = HTTP2Server(limits: limits)
/// ```
public struct HTTP2Limits: Sendable, Hashable {
    /// How many requests of a connection may be at work, 1 to 65,535. Further ones are refused, and the client may send them again. A request that the client has
    /// given up counts until its handler has ended.
    public var concurrentStreams = 100
    /// How many bytes of a request's body may wait for their handler, 1 to 16 MiB: the client sends no more before these are read.
    public var streamWindow = 65_535
    /// How many more requests a client may give up before their answers than it has got answers to. After that the connection ends, because beginning a
    /// request costs a client less than its server.
    public var resets = 200
    /// How many frames that carry nothing (PING, SETTINGS, PRIORITY, empty DATA) may come at once. A request lets one more in, and each
    /// second a hundred.
    public var controlFrames = 1_000

    /// The limits that each property names.
    public init() {}

    /// What nghttp2 can take.
    var possible: HTTP2Limits {
        var limits = self
        limits.concurrentStreams = min(max(1, concurrentStreams), 65_535)
        limits.streamWindow = min(max(1, streamWindow), 1 << 24)
        limits.resets = min(max(0, resets), 1 << 30)
        // A connection begins with a few.
        limits.controlFrames = min(max(16, controlFrames), 1 << 30)
        return limits
    }
}
