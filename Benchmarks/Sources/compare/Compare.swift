import ArgumentParser
import Foundation
import Harness
import Measurement

/// Runs the servers against each other and prints a table for each scenario.
@main struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares echo servers by CPU time per request, latency and memory.",
        discussion: "Servers: \(Program.servers.joined(separator: ", ")).\nScenarios: "
            + Choice.names.joined(separator: ", ") + ".")

    @Option(help: "Servers, with commas between them.")
    var servers = Program.servers.joined(separator: ",")
    @Option(help: "The server that is the 1.00 of the tables. It always runs.")
    var baseline = Program.baseline
    @Option(help: "Scenarios, with commas between them; x does for ×.")
    var scenarios = Choice.names.joined(separator: ",")
    @Option(help: "Times that each server is measured in each scenario.") var rounds = 5
    @Option(help: "Length of a measured window.") var seconds = 2.0
    @Option(help: "Seconds of load before each window.") var warmup = 0.5
    @Option(help: "The core of the servers.") var serverCore = 0
    @Option(help: "The core of the load.") var loadCore = 1
    @Flag(help: "Tables in Markdown.") var markdown = false

    func validate() throws {
        guard rounds > 0, seconds > 0 else { throw ValidationError("There is no round without time.") }
        for name in names(scenarios) where Choice(argument: name) == nil {
            throw ValidationError("There is no scenario \(name).")
        }
    }

    func run() throws {
        let servers = [baseline] + names(servers).filter { $0 != baseline }
        let bench = Bench(serverCore: serverCore, loadCore: loadCore)
        print("Servers on core \(serverCore), load on core \(loadCore), \(rounds) rounds of \(seconds) s. \(Machine())")
        print("")
        for choice in names(scenarios).compactMap(Choice.init) {
            switch choice {
            case .loaded(let scenario): try compare(servers, under: scenario, on: bench)
            case .idle: try compareIdle(servers, on: bench)
            }
        }
        print("Load average at the end: \(Machine().loadAverage)")
    }

    private func compare(_ servers: [String], under scenario: Scenario, on bench: Bench) throws {
        let arguments = scenario.arguments + ["--seconds", "\(seconds)", "--warmup", "\(warmup)"]
        let chosen = scenario.servers.map { own in
            own.prefix(1) + own.dropFirst().filter { servers.contains(String($0.prefix { $0 != " " })) }
        }
        let servers = chosen.map(Array.init) ?? servers
        let rounds = try Rounds(rounds, of: servers, title: scenario.name) {
            try bench.run($0, under: "load", arguments, as: LoadResult.self)
        }
        show(
            "\(scenario.name): \(scenario.description)", LoadedComparison(rounds: rounds, servers: servers).table(),
            note: scenario.note)
    }

    private func compareIdle(_ servers: [String], on bench: Bench) throws {
        let rounds = try Rounds(rounds, of: servers, title: "idle") {
            try bench.run($0, under: "idle", [], as: IdleResult.self)
        }
        show("idle: private memory per idle connection", IdleComparison(rounds: rounds, servers: servers).table())
    }

    private func show(_ title: String, _ table: Table, note: String? = nil) {
        print(markdown ? "### \(title)\n" : title)
        print(table.render(markdown: markdown) + "\n")
        if let note { print(note + "\n") }
        fflush(nil)
    }

    private func names(_ list: String) -> [String] {
        list.split(separator: ",").map(String.init)
    }
}
