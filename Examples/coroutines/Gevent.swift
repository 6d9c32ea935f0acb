import ArgumentParser
import Coroutines
import ExampleSupport

/// The article's third program: two tasks, and whenever one sleeps it is the other's turn.
struct Gevent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gevent", abstract: "Two green tasks give way to each other while they sleep.")

    @Option(help: "The shorter of the two sleeps, for example 100ms.", transform: duration(from:))
    var sleep = Duration.seconds(1)

    func run() async throws {
        let sleep = sleep
        let tasks = [
            Green.spawn {
                printLine(Colour.red("The first task begins, and sleeps the longer."))
                try await Green.sleep(sleep * 2)
                printLine(Colour.red("The first task is back."))
            },
            Green.spawn {
                printLine(Colour.green("Meanwhile the second task has its turn, and sleeps."))
                try await Green.sleep(sleep)
                printLine(Colour.green("The second task is back before the first."))
            },
        ]
        for result in try await Green.joinAll(tasks) { try result?.get() }
    }
}
