import AsyncUV
import ExampleSupport

/// Runs a command each time that something has changed.
struct Runner {
    private let command: [String]
    private let restarts: Bool

    init(_ command: [String], restarts: Bool) {
        self.command = command
        self.restarts = restarts
    }

    /// Runs the command until the task is cancelled; a command that is running then is ended.
    func run(whenever changed: AsyncStream<Void>) async {
        var current: ChildProcess?
        for await _ in changed {
            if restarts { await current?.terminate() }
            do {
                let started = try await start()
                current = started
                if restarts {
                    started.loop.spawn(onError: { _ in }) { tell(try await started.wait()) }
                } else {
                    tell(try await started.wait())
                }
            } catch is CancellationError { break } catch { printProblem("watch: \(error)") }
        }
        await current?.terminate()
    }

    /// The command is a group of its own, so that what it starts ends with it.
    private func start() async throws -> ChildProcess {
        try await ChildProcess.spawn(
            command[0], Array(command.dropFirst()), options: ProcessOptions(isDetached: true))
    }

    private func tell(_ status: ExitStatus) {
        printLine(status.isSuccess ? "done: \(command[0])" : "failed with \(status): \(command[0])")
    }
}
