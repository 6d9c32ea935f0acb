import ArgumentParser

/// What every comparison by rounds can be told.
package struct BenchOptions: ParsableArguments {
    @Option(help: "Times that each server is measured.") package var rounds = 5
    @Option(help: "The core of the servers.") package var serverCore = 0
    @Option(help: "The core of the load.") package var loadCore = 1
    @Flag(help: "Tables in Markdown.") package var markdown = false

    package init() {}

    package mutating func validate() throws {
        guard rounds > 0 else { throw ValidationError("There is nothing to compare without a round.") }
    }

    package var bench: Bench { Bench(serverCore: serverCore, loadCore: loadCore) }

    /// The line above all tables.
    package var setting: String {
        "Servers on core \(serverCore), load on core \(loadCore), median of \(rounds) interleaved rounds. \(Machine())"
    }
}

/// A list in one argument, with commas between the elements.
package func list<Element>(_ text: String, _ element: (String) -> Element?) throws -> [Element] {
    try text.split(separator: ",").map { word in
        guard let value = element(String(word)) else { throw ValidationError("\(word) is not known here.") }
        return value
    }
}
