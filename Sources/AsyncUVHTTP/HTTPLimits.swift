/// How much of a message is taken. What is larger is refused, so the memory of a connection is bounded.
public struct HTTPLimits: Sendable, Hashable {
    /// The longest first line in bytes, without its end; 414 for a longer one.
    public var line = 8_000
    /// The largest head in bytes: the first line and the fields, with the ends of the lines; 431 for a larger one. The fields behind
    /// a body of chunks have the same limit.
    public var head = 16_384
    /// The most fields of a head, 65,000 at most; 431 for more.
    public var fieldCount = 100
    /// The longest body in bytes; 413 for a longer one. ``HTTPBody/limited(to:)`` sets another for one request.
    public var body = 1 << 20

    /// The limits that each property names.
    public init() {}

    /// HTTPTypes stops the process at 65,535 fields.
    var fieldCountThatCanBe: Int { min(fieldCount, 65_000) }
}
