import Foundation
import SystemPackage

/// Prints a line at once: into a pipe, `print` waits until 4 KiB have gathered.
public func printLine(_ line: String = "") { try? printBytes(Array((line + "\n").utf8)) }

/// Prints a line for the person at the terminal, beside what the program has to say.
public func printProblem(_ line: String) { try? write(Array((line + "\n").utf8), to: .standardError) }

/// Prints bytes at once, as they are.
///
/// - Throws: `Errno`, for a full disk.
public func printBytes(_ bytes: [UInt8]) throws { try write(bytes, to: .standardOutput) }

/// When nobody reads any more (`tour | head -3`) the program ends as one that is killed by SIGPIPE does: the first loop
/// has made that signal an error.
private func write(_ bytes: [UInt8], to file: FileDescriptor) throws {
    do { try file.writeAll(bytes) } catch Errno.brokenPipe { exit(128 + SIGPIPE) }
}
