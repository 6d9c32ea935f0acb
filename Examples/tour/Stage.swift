import ExampleSupport
import Foundation

/// Where the tour speaks: in colour on a terminal, plain in a pipe.
final class Stage: Sendable {
    let isTerminal = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    private let hasColour: Bool

    init() { hasColour = isTerminal && ProcessInfo.processInfo.environment["NO_COLOR"] == nil }

    func opening(_ name: String, _ sentence: String) { printLine("\n\(styled(name, 1)): \(sentence)") }

    func title(_ title: String, _ sentence: String) {
        printLine("\n\(styled(title, 1, 36))")
        printLine("     \(styled(sentence, 2))\n")
    }

    func line(_ text: String) { printLine("     \(text)") }

    /// A line with a result that was checked.
    func success(_ text: String) { printLine("   \(styled("✓", 32)) \(text)") }

    /// A line that the next one replaces, on a terminal; nothing elsewhere.
    func progress(_ done: Double, _ text: String) {
        guard isTerminal else { return }
        let filled = Int(done * 30)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        try? printBytes(Array("\r     \(styled(bar, 36)) \(text)\u{1B}[K".utf8))
        if done >= 1 { try? printBytes(Array("\r\u{1B}[K".utf8)) }
    }

    func closing(_ text: String) { printLine("\n\(styled(text, 1))\n") }

    private func styled(_ text: String, _ codes: Int...) -> String {
        hasColour ? "\u{1B}[\(codes.map(String.init).joined(separator: ";"))m\(text)\u{1B}[0m" : text
    }
}
