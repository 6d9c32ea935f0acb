/// What clients may take: time and places.
struct ServerLimits: Sendable {
    /// How long nothing may happen on a connection.
    var idle: Duration
    /// How long a request may take to arrive, from its first byte on.
    var request: Duration
    /// How many connections there can be.
    var connections: Int
}
