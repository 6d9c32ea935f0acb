import ArgumentParser
import AsyncUV
import ExampleSupport
import Foundation

@main struct FileCopy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file-copy",
        abstract: "Copies a file, or a directory with all that is in it.",
        discussion: """
            A file's copy appears whole or not at all: Ctrl-C leaves no half of it. Of a directory it leaves what was \
            copied until then. On a terminal there is a progress bar. Exits with 130 after Ctrl-C; a disk that hangs for \
            longer than a second may then keep a hidden half beside the destination.
            """)

    @Argument(help: "What to copy.") var source: String
    @Argument(help: "Where to; a file there is replaced, a directory must not be there.") var destination: String

    func run() throws {
        let source = try FilePath(validating: source)
        let destination = try FilePath(validating: destination)
        try EventLoop.run { loop in
            // Before anything is copied, so that it is not too late for anybody.
            let signals = try await Signals.watch(.interrupt, .terminate)
            let status = try await FileSystem.status(of: source)
            let started = loop.clock.now
            let bar = isatty(STDERR_FILENO) != 0 ? ProgressBar(for: status) : nil
            let copying = loop.spawn {
                try await FileSystem.copy(source, to: destination) { bar?.show($0, after: loop.clock.now - started) }
            }
            let watching = loop.spawn { for try await _ in signals { copying.cancel() } }
            defer { watching.cancel() }
            do {
                let copied = try await copying.value
                let took = loop.clock.now - started
                bar?.end(copied, after: took)
                printLine(
                    "copied \(count(copied.entries, "file")), \(copied.bytes.grouped) bytes in \(took.text), "
                        + throughput(of: copied.bytes, in: took))
            } catch is CancellationError {
                bar?.remove()
                let rest = status.kind == .directory ? "has what was copied until then" : "is as it was"
                printProblem("interrupted: \(destination) \(rest)")
                // The loop's end waits for the thread that copies. A disk that hangs must not keep us.
                Thread.detachNewThread {
                    Thread.sleep(forTimeInterval: 1)
                    Foundation.exit(130)
                }
                throw ExitCode(130)
            } catch {
                bar?.remove()
                throw error
            }
        }
    }
}
