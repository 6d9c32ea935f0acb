import Foundation

/// Prints a line at once: into a pipe, `print` waits until 4 KiB have gathered.
func printLine(_ line: String, to file: FileHandle = .standardOutput) {
    try? file.write(contentsOf: Data((line + "\n").utf8))
}
