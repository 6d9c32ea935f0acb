import ArgumentParser
import AsyncUV
import ExampleSupport

@main struct Parallel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parallel",
        abstract: "Runs shell commands side by side. Each line that one prints begins with its number.",
        discussion: """
            parallel 'make -C a' 'make -C b'
            Ctrl-C ends all of them, with their descendants. The exit status is 1 if a command has failed.
            """)

    @Option(help: "How many commands run at a time.") var jobs = 4
    @Option(help: "How long a command may take to end after Ctrl-C.", transform: duration(from:)) var grace =
        Duration
        .seconds(2)
    @Argument(help: "The commands, one argument each.") var commands: [String]

    func validate() throws {
        if jobs < 1 { throw ValidationError("At least one job is needed.") }
    }

    func run() throws {
        let failed = try EventLoop.run { [jobs, grace, commands] loop in
            let signals = try await Signals.watch(.interrupt, .terminate)
            let work = loop.spawn { try await Self.run(commands, jobs, grace) }
            let watch = loop.spawn {
                let signal = try await signals.next()
                work.cancel()
                return signal
            }
            defer { watch.cancel() }
            do { return try await work.value } catch is CancellationError {
                throw ExitCode(128 + (try await watch.value).rawValue)
            }
        }
        if failed > 0 { throw ExitCode.failure }
    }

    /// - Returns: How many have failed.
    private static func run(_ commands: [String], _ jobs: Int, _ grace: Duration) async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            var failed = 0
            for (index, command) in commands.enumerated() {
                if index >= jobs, try await group.next() == false { failed += 1 }
                group.addTask { try await run(command, number: index + 1, grace) }
            }
            for try await isSuccess in group where !isSuccess { failed += 1 }
            return failed
        }
    }

    /// - Returns: Whether it has succeeded.
    private static func run(_ command: String, number: Int, _ grace: Duration) async throws -> Bool {
        let status: ExitStatus
        do {
            status = try await ChildProcess.withProcess("sh", ["-c", command], grace: grace) { input, output, errors in
                await input.close()
                // Both at once: a child waits when nobody reads.
                async let problems: Void = print(errors, number)
                try await print(output, number)
                try await problems
            }.status
        } catch let error as UVError {
            printProblem("\(number)! \(error)")
            return false
        }
        if !status.isSuccess { printProblem("\(number)! \(command): \(status)") }
        return status.isSuccess
    }

    private static func print(_ output: ChildOutput, _ number: Int) async throws {
        for try await line in output.lines() { printLine("\(number)| \(line)") }
    }
}
