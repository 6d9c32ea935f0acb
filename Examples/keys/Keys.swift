import ArgumentParser
import AsyncUV
import ExampleSupport

@main struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Prints the keys that are pressed and the sizes that the terminal gets, until q or Ctrl-C.")

    func run() throws {
        try EventLoop.run { loop in
            let terminal: Terminal
            do { terminal = try await Terminal.open() } catch UVError.Code.notTerminal {
                printProblem("keys: standard input is no terminal")
                throw ExitCode.failure
            }
            let sizes = try await terminal.sizes()
            let watch = loop.spawn {
                for try await size in sizes { printLine("\(size.columns) × \(size.rows)") }
            }
            defer { watch.cancel() }
            try await terminal.withMode(.raw) {
                for try await key in terminal.keys() {
                    if key == Key("q") || key == .control("c") { break }
                    printLine("\(key)")
                }
            }
        }
    }
}
