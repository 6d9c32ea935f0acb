import ExampleSupport

/// What a server has done so far.
struct Tally: CustomStringConvertible {
    var connections = 0
    var bytes = 0

    var description: String { "\(count(connections, "connection")), \(count(bytes, "byte"))" }
}
