import Foundation

/// Rows under a header: aligned text, or Markdown, which is aligned too.
public struct Table {
    private var rows: [[String]]

    public init(_ header: [String]) { rows = [header] }

    public mutating func add(_ row: [String]) { rows.append(row) }

    public func render(markdown: Bool) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
        var lines = rows.map { row in
            let cells = row.indices.map { pad(row[$0], to: widths[$0], left: $0 == 0) }
            return markdown ? "| " + cells.joined(separator: " | ") + " |" : cells.joined(separator: "  ")
        }
        let rule = widths.indices.map { String(repeating: "-", count: widths[$0] - 1) + ($0 == 0 ? "-" : ":") }
        lines.insert(
            markdown
                ? "| " + rule.joined(separator: " | ") + " |"
                : widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "), at: 1)
        return lines.joined(separator: "\n")
    }

    private func pad(_ cell: String, to width: Int, left: Bool) -> String {
        let space = String(repeating: " ", count: width - cell.count)
        return left ? cell + space : space + cell
    }
}

public func decimal(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}

/// The middle value, or the mean of the two.
public func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}
