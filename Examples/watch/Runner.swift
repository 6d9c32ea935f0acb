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
        var current: Command?
        for await _ in changed {
            if restarts { await current?.stop() }
            do {
                let started = try Command(command)
                current = started
                if restarts {
                    Task { tell(await started.status) }
                } else {
                    await withTaskCancellationHandler {
                        tell(await started.status)
                    } onCancel: {
                        started.terminate()
                    }
                }
            } catch { printProblem("watch: \(error)") }
        }
        await current?.stop()
    }

    private func tell(_ status: CInt) {
        printLine(status == 0 ? "done: \(command[0])" : "failed with \(status): \(command[0])")
    }
}
