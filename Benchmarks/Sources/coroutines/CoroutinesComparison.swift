import ArgumentParser
import Measurement

/// What module Coroutines costs, next to Python's coroutines and to the least that the same could cost.
@main struct CoroutinesComparison: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coroutines",
        abstract:
            "Measures generators, greenlets and green tasks beside Python's generators, greenlet, gevent and asyncio.",
        discussion: """
            Each measurement is a process of its own, warmed up; rounds go through all of them in turn. Times are CPU \
            time of all threads of the process. Ratios are taken round by round.
            """)

    @Option(help: "Times that everything is measured; the medians are shown.") var rounds = 7
    @Option(help: "Switches and steps of one measurement.") var count = 1_000_000
    @Option(help: "Tasks that are spawned at once, and tasks that sleep.") var spawned = 100_000
    @Option(help: "The Python to compare with, with or without greenlet and gevent; empty for none.")
    var python = "python3"
    @Flag(help: "A table in Markdown.") var markdown = false
    @Flag(help: "One line of JSON with every round's figure instead of a table.") var json = false

    @Option(help: ArgumentHelp("Measures one thing in this process and prints its number.", visibility: .hidden))
    var measure: Trial?

    func validate() throws {
        guard rounds > 0, spawned > 0, count > 1 else { throw ValidationError("There is nothing to measure.") }
    }

    func run() throws {
        if let measure { return print(try measure.run(count)) }
        var rows = Row.all(count: count, spawned: spawned).map { Figures($0) }
        for round in 1...rounds {
            for index in rows.indices {
                progress("round \(round) of \(rounds): \(rows[index].row.title)")
                try rows[index].measure(python)
            }
        }
        progress("")
        if json { return print(try JSONLine.encode(rows.compactMap(\.measured))) }
        print(Figures.table(rows).render(markdown: markdown))
    }
}
