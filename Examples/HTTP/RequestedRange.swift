/// Which bytes a Range field asks for.
public enum RequestedRange: Equatable, Sendable {
    /// All: there is no such field, or one that a server may ignore.
    case all
    case part(Range<Int64>)
    /// None of the bytes that there are.
    case none

    /// - Parameter fields: The values of the Range fields.
    /// - Parameter size: Of the file.
    public init(_ fields: [String], size: Int64) {
        self = .all
        // Several ranges at a time are the way to have a server send a file a hundred times over. They may be ignored.
        guard fields.count == 1, fields[0].lowercased().hasPrefix("bytes="), !fields[0].contains(",") else { return }
        let bounds = fields[0].dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2 else { return }
        switch (bounds[0].isEmpty, bounds[1].isEmpty) {
        case (true, true): return
        case (true, false):
            guard let count = Self.number(bounds[1]) else { return }
            self = .part(max(0, size - count)..<size)
        case (false, true):
            guard let first = Self.number(bounds[0]) else { return }
            self = .part(min(first, size)..<size)
        case (false, false):
            guard let first = Self.number(bounds[0]), let last = Self.number(bounds[1]), first <= last else { return }
            self = .part(min(first, size)..<(last >= size ? size : last + 1))
        }
        if case .part(let range) = self, range.isEmpty { self = .none }
    }

    /// Larger ones than there are files count as the largest.
    private static func number(_ text: Substring) -> Int64? {
        guard text.utf8.allSatisfy(\.isDigit) else { return nil }
        return Int64(text) ?? .max
    }
}
