import AsyncUV
import ExampleHTTP

/// The list of a directory, for browsers.
struct DirectoryPage {
    /// The most entries of a list: a page is made in memory.
    static let limit = 2_000
    /// The most names that are looked at, hidden ones included.
    static let most = 20_000

    /// The directory, as it is shown.
    let title: String
    let isRoot: Bool
    private(set) var isCut = false
    private var rows: [(name: String, isDirectory: Bool)] = []

    init(_ path: RequestPath) {
        title = path.text
        isRoot = path.names.isEmpty
    }

    /// Adds an entry.
    ///
    /// - Returns: Whether there is room for another.
    mutating func add(_ entry: DirectoryEntry) -> Bool {
        // A name that is not UTF-8 can be asked for by its bytes, but not be written into a page of UTF-8.
        guard let name = String(validating: entry.name), !name.hasPrefix(".") else { return true }
        isCut = rows.count == Self.limit
        if !isCut { rows.append((name, entry.kind == .directory)) }
        return !isCut
    }

    var html: String {
        let links = rows.sorted { ($0.isDirectory ? 0 : 1, $0.name) < ($1.isDirectory ? 0 : 1, $1.name) }.map { row in
            let slash = row.isDirectory ? "/" : ""
            return "<li><a href=\"\(RequestPath.encoded(row.name.utf8))\(slash)\">\(Self.escaped(row.name))\(slash)</a>"
        }
        let up = isRoot ? [] : ["<li><a href=\"../\">../</a>"]
        return """
            <!DOCTYPE html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>\(Self.escaped(title))</title>
            <h1>\(Self.escaped(title))</h1>
            <ul>
            \((up + links).joined(separator: "\n"))
            </ul>
            \(isCut ? "<p>There are more than \(Self.limit) entries.\n" : "")
            """
    }

    /// Text that means nothing in HTML.
    static func escaped(_ text: String) -> String {
        let entities: [Character: String] = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;"]
        // By scalars: a combining character after `<` would hide it in a character.
        return text.unicodeScalars.map { entities[Character($0)] ?? String($0) }.joined()
    }
}
