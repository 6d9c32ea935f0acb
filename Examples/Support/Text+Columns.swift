extension String {
    /// The text with spaces after it, for columns of words.
    public func padded(to width: Int) -> String { self + spaces(to: width) }

    /// The text with spaces before it, for columns of numbers.
    public func aligned(to width: Int) -> String { spaces(to: width) + self }

    private func spaces(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) }
}

extension BinaryInteger {
    /// Thousands apart: `1,048,576`.
    public var grouped: String {
        let digits = String(magnitude)
        let groups = stride(from: digits.count, to: 0, by: -3).map { digits.prefix($0).suffix(3) }
        return (self < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
    }
}

/// A number and its noun: `1 connection`, `2 connections`.
public func count(_ number: Int, _ noun: String) -> String { "\(number.grouped) \(noun)\(number == 1 ? "" : "s")" }
