import ArgumentParser
import AsyncUV
import ExampleSupport

@main struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Prints what changes in files and directories, and runs a command each time.",
        discussion: """
            Directories are watched with all that is below them. Without a command only the changes are printed. Ctrl-C or SIGTERM \
            ends it, and the command with it.

            Try it: watch -p Sources -p Tests --restart -- swift test
            """)

    @Option(name: [.customShort("p"), .customLong("path")], help: "A file or directory; may be given several times.")
    var paths: [String] = ["."]

    @Argument(parsing: .postTerminator, help: "The command and its arguments.")
    var command: [String] = []

    @Option(
        help: "How long it has to be quiet before the command runs, for example 2s. (default: 100ms)",
        transform: duration(from:))
    var debounce: Duration = .milliseconds(100)

    @Option(help: "A name that is of no interest, such as .git; may be given several times.")
    var ignore: [String] = [".git", ".build", "node_modules"]

    @Flag(help: "End a command that is still running, and run it anew. Else it runs again when it has ended.")
    var restart = false

    @Flag(help: "Do not run the command before something has changed.")
    var postpone = false

    @Flag(help: "Do not print what has changed.")
    var quiet = false

    func run() throws {
        let ignored = Set(ignore)
        try EventLoop.run { [paths, command, debounce, restart, postpone, quiet] loop in
            // One change is enough to run the command: more that come while it runs are one.
            let (changed, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            let signals = try await Signals.watch(.interrupt, .terminate)
            var watching: [Task<Void, any Error>] = []
            for path in paths {
                let changes = try await FileSystem.changes(
                    at: FilePath(validating: path), debounce: debounce,
                    ignoring: { ignored.contains($0.lastComponent?.string ?? "") }
                ) { printProblem("watch: \($0)") }
                watching.append(
                    loop.spawn {
                        while let batch = try await changes.nextBatch() {
                            if !quiet { for change in batch { printLine("\(change)") } }
                            bell.yield()
                        }
                        printProblem("watch: \(path) is gone")
                    })
            }
            printLine("watching \(count(watching.count, "path"))")
            if !command.isEmpty, !postpone { bell.yield() }
            let running = loop.spawn {
                if !command.isEmpty { await Runner(command, restarts: restart).run(whenever: changed) }
            }
            let ending = loop.spawn { [watching] in
                _ = try await signals.next()
                for task in watching { task.cancel() }
            }
            var problem: (any Error)?
            for task in watching {
                do { try await task.value } catch is CancellationError {} catch { problem = error }
            }
            ending.cancel()
            running.cancel()
            _ = await running.result
            if let problem { throw problem }
        }
    }
}
