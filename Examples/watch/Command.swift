import Foundation

/// A command that runs.
struct Command: Sendable {
    private let process: Process
    private let end: Task<CInt, Never>

    /// Starts a command, which is looked for as a shell does.
    init(_ arguments: [String]) throws {
        let (statuses, continuation) = AsyncStream.makeStream(of: CInt.self)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.terminationHandler = { process in
            continuation.yield(process.terminationStatus)
            continuation.finish()
        }
        try process.run()
        self.process = process
        end = Task { await statuses.first { _ in true } ?? -1 }
    }

    /// What it ended with: its exit code, or the number of the signal.
    var status: CInt { get async { await end.value } }

    /// Asks it to end.
    func terminate() { if process.isRunning { process.terminate() } }

    /// Asks it to end, and waits until it has; after five seconds it is killed.
    func stop() async {
        terminate()
        let killing = Task { [process] in
            try await Task.sleep(for: .seconds(5))
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
        _ = await status
        killing.cancel()
    }
}
