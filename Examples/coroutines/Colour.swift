import Foundation

/// Text in colour on a terminal; plain in a pipe, and where NO_COLOR says so.
enum Colour: Int {
    case red = 31
    case green = 32

    func callAsFunction(_ text: String) -> String {
        Self.isWanted ? "\u{1B}[\(rawValue);1m\(text)\u{1B}[0m" : text
    }

    private static let isWanted: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb" && environment["NO_COLOR"] == nil
    }()
}
