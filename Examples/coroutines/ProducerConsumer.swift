import ArgumentParser
import Coroutines
import ExampleSupport

/// The article's first program: two consumers that `yield` until the producer sends them a baozi.
struct ProducerConsumer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "producer-consumer", abstract: "Two consumers eat what a producer makes: generators, send.")

    @Option(help: "How many the producer makes.")
    var count = 5

    func run() throws {
        let first = consumer("c1"), second = consumer("c2")
        _ = try first.next()
        _ = try second.next()
        for number in 1...max(1, count) {
            _ = try first.send(number)
            _ = try second.send(number)
            printLine("\(Colour.green("[producer]")) is making baozi \(number)")
        }
    }

    /// Eats whatever it is sent, for ever. When nobody refers to it any more its `yield` throws, and it ends.
    private func consumer(_ name: String) -> Generator<Int, Void> {
        Generator { yield in
            printLine("--->starting eating baozi...")
            while true { printLine("[\(name)] is eating baozi \(try await yield(()))") }
        }
    }
}
