/// How much of a request is taken. What is larger is refused, so the memory of a connection is bounded.
public struct RequestLimits: Sendable {
    /// Of the request line in bytes, without its end.
    public var line = 8_000
    /// Of the request line and the fields in bytes, with the ends of the lines.
    public var head = 16_384
    /// Of the fields.
    public var fieldCount = 100
    /// Of the body in bytes.
    public var body = 65_536

    public init() {}
}
