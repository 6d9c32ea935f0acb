import ExampleSupport
import ArgumentParser
import CReadiness
import Readiness

@main struct UILoop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ui-loop",
        abstract: "A user interface in two ways: looking for clicks all the time, and an event queue.",
        discussion: "Both get the same clicks and keys. Compare the CPU time.")

    enum Way: String, CaseIterable, ExpressibleByArgument { case polling, events, both }

    @Option(help: "Which way.") var way = Way.both
    @Option(help: "How many seconds each way runs.") var seconds = 2

    func validate() throws {
        guard (1...60).contains(seconds) else { throw ValidationError("Between 1 and 60 seconds, please.") }
    }

    func run() throws {
        if way != .events { try measure("looking for input all the time") { try PollingLoop().run(for: seconds) } }
        if way != .polling { try measure("sleeping on an event queue") { try EventLoop().run(for: seconds) } }
    }

    /// Runs one way on this thread and prints what it has cost.
    private func measure(_ title: String, _ body: () throws -> Looks) throws {
        printLine("\(title):")
        let (start, cpu) = (readiness_clock(), readiness_thread_cpu_clock())
        let looks = try body()
        let (time, used) = (readiness_clock() - start, readiness_thread_cpu_clock() - cpu)
        printLine("  \(looks.inputs) inputs found in \(looks.count) looks")
        printLine("  CPU time \(used / 1_000_000) ms of \(time / 1_000_000) ms: \(100 * used / time) % of a core")
    }
}

/// How often a loop looked for input, and how often there was some.
struct Looks {
    var count = 0
    var inputs = 0
}
