import ExampleSupport
import Foundation

/// A line on the terminal, standard error, that is drawn over and over.
struct ProgressBar {
    private let total: Int64?

    /// - Returns: `nil` when standard error is no terminal.
    init?(total: Int64?) {
        guard isatty(STDERR_FILENO) != 0 else { return nil }
        self.total = total
    }

    func show(_ bytes: Int64) {
        guard let total, total > 0 else { return draw("\(bytes.grouped) bytes") }
        let full = Int(bytes * 20 / total)
        let bar = String(repeating: "#", count: full) + String(repeating: "-", count: 20 - full)
        draw("[\(bar)] \(bytes * 100 / total) %")
    }

    /// Leaves the last state on the terminal.
    func end() { FileHandle.standardError.write(Data("\n".utf8)) }

    private func draw(_ text: String) { FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8)) }
}
