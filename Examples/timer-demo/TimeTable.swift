import ExampleSupport
import UV

/// Prints a line for each time that was asked for, with the time that passed.
final class TimeTable {
    private var started = Loop.hrtime

    init() { printRow("timer", "asked for", "took", "late by") }

    /// The time to compare with begins now.
    func start() { started = Loop.hrtime }

    func add(_ name: String, asked: Duration, note: String? = nil) {
        let took = Loop.hrtime - started
        printRow(name, asked.text, took.text, note ?? (took - asked).text)
    }

    private func printRow(_ name: String, _ asked: String, _ took: String, _ late: String) {
        printLine("\(name.padded(to: 22))\(asked.aligned(to: 12))\(took.aligned(to: 14))   \(late)")
    }
}
