import Synchronization

/// What happened, in order.
final class Transcript: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: some CustomStringConvertible) { lines.withLock { $0.append("\(line)") } }
    var all: [String] { lines.withLock { $0 } }
}
