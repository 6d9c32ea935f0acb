import ExampleSupport
import UV

/// Reports connections that could not be accepted, with a line a second at most: refusals come in floods.
struct RefusalLog {
    private static let pause = Duration.seconds(1)

    private var attempts = 0
    private var lastLine: Duration?

    /// An attempt to accept has failed.
    mutating func add(_ error: UVError) {
        attempts += 1
        say("cannot accept, trying again: \(error)")
    }

    /// A connection was accepted: says so if that had been impossible.
    mutating func accepted() {
        guard attempts > 0 else { return }
        if say("accepting again, after \(count(attempts, "failed attempt"))") { attempts = 0 }
    }

    @discardableResult
    private mutating func say(_ line: String) -> Bool {
        let now = Loop.hrtime
        if let lastLine, now - lastLine < Self.pause { return false }
        lastLine = now
        printProblem(line)
        return true
    }
}
