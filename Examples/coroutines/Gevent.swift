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
                printLine(Colour.red("李闯在跟海涛搞..."))
                try await Green.sleep(sleep * 2)
                printLine(Colour.red("李闯又回去跟继续跟海涛搞..."))
            },
            Green.spawn {
                printLine(Colour.green("李闯切换到了跟海龙搞..."))
                try await Green.sleep(sleep)
                printLine(Colour.green("李闯搞完了海涛,回来继续跟海龙搞..."))
            },
        ]
        for result in try await Green.joinAll(tasks) { try result?.get() }
    }
}
