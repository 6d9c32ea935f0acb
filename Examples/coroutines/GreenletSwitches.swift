import ArgumentParser
import Coroutines
import ExampleSupport

/// The article's second program: two functions that switch to each other in their middle.
struct GreenletSwitches: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "greenlet", abstract: "Two functions switch to each other: 12, 56, 34, 78.")

    func run() async throws {
        try await Greenlet<Void>.run { main in
            let first = Greenlet(parent: main), second = Greenlet(parent: main)
            first.body {
                printLine("12")
                try await first.switch(to: second)
                printLine("34")
                try await first.switch(to: second)
            }
            second.body {
                printLine("56")
                try await second.switch(to: first)
                printLine("78")
            }
            try await main.switch(to: first)
        }
    }
}
