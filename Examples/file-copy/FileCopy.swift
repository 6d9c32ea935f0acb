import ArgumentParser
import AsyncUV
import ExampleSupport
import Foundation

@main struct FileCopy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file-copy",
        abstract: "Copies a file, or a directory with all that is in it.",
        discussion: """
            A file's copy appears whole or not at all: Ctrl-C leaves no half of it. On a terminal there is a progress \
            line. Exits with 130 after Ctrl-C.
            """)

    @Argument(help: "What to copy.") var source: String
    @Argument(help: "Where to; a file there is replaced, a directory must not be there.") var destination: String

    func run() throws {
        let source = try FilePath(validating: source)
        let destination = try FilePath(validating: destination)
        let isTerminal = isatty(STDERR_FILENO) != 0
        do {
            try EventLoop.run { loop in
                let started = loop.clock.now
                let total = try await FileSystem.status(of: source).size
                let copying = loop.spawn {
                    try await FileSystem.copy(source, to: destination) { progress in
                        if isTerminal { showProgress(progress.bytes, of: total, in: loop.clock.now - started) }
                    }
                }
                let watching = loop.spawn {
                    for try await _ in try await Signals.watch(SIGINT, SIGTERM) { copying.cancel() }
                }
                defer { watching.cancel() }
                let copied = try await copying.value
                let took = loop.clock.now - started
                if isTerminal { printBytes(Array("\r\u{1B}[K".utf8)) }
                printLine(
                    "copied \(count(copied.entries, "file")), \(copied.bytes.grouped) bytes in \(took.text), "
                        + throughput(copied.bytes, took))
            }
        } catch is CancellationError {
            printProblem("interrupted: \(destination) is as it was")
            throw ExitCode(130)
        }
    }
}

/// The size of a directory says nothing of what is in it, so its total is not shown.
private func showProgress(_ bytes: Int64, of total: Int64, in time: Duration) {
    let part =
        total >= bytes && total > 0 ? "\((bytes * 100 / total)) % of \(total.grouped) bytes" : "\(bytes.grouped) bytes"
    printBytes(Array("\r\u{1B}[K\(part), \(throughput(bytes, time))".utf8))
}

private func throughput(_ bytes: Int64, _ time: Duration) -> String {
    let seconds = max(time / .seconds(1), 1e-6)
    return "\(Int(Double(bytes) / seconds / 1_048_576).grouped) MiB/s"
}
