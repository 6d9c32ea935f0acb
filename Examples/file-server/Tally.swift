import ExampleSupport

/// What the server has done so far.
struct Tally: CustomStringConvertible {
    var connections = 0
    /// Answered, in whatever way.
    var requests = 0
    /// Of answers, without their heads.
    var bytes = 0
    /// Connections that were closed because they were too slow.
    var timeouts = 0
    /// Connections that were closed because others needed their place.
    var displaced = 0

    var description: String {
        "\(count(connections, "connection")), \(count(requests, "request")), \(count(bytes, "byte")), "
            + "\(count(timeouts, "timeout")), \(displaced.grouped) displaced"
    }
}
