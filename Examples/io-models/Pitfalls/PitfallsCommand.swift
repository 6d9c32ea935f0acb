import ExampleSupport
import ArgumentParser
import Readiness

struct PitfallsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pitfalls",
        abstract: "Makes the classic mistakes, each beside the right way.",
        discussion: "The exit status is 0 when every wrong run shows its trouble and every right run shows none.")

    enum Run: String, ExpressibleByArgument, CaseIterable { case wrong, right, both }

    @Argument(help: "Which: \(pitfalls.map(\.name).joined(separator: ", ")). All, if none is named.")
    var names: [String] = []

    @Option(name: .customLong("run"), help: "Which run to make.")
    var choice = Run.both

    func validate() throws {
        for name in names where !pitfalls.contains(where: { $0.name == name }) {
            throw ValidationError("There is no pitfall '\(name)'.")
        }
    }

    func run() throws {
        var isAsExpected = true
        for pitfall in pitfalls where names.isEmpty || names.contains(pitfall.name) {
            printLine("\(pitfall.name): \(pitfall.lesson)")
            if choice != .right { isAsExpected = try show("wrong", pitfall.wrong(), trouble: true) && isAsExpected }
            if choice != .wrong { isAsExpected = try show("right", pitfall.right(), trouble: false) && isAsExpected }
            printLine("")
        }
        if !isAsExpected { throw ExitCode.failure }
    }

    private func show(_ title: String, _ finding: Finding, trouble: Bool) -> Bool {
        let isExpected = finding.isTrouble == trouble
        printLine("  \(title)  \(finding.text)\(isExpected ? "" : "  (not what was expected)")")
        return isExpected
    }
}
