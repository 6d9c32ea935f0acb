import Foundation
import Measurement

/// The numbers of a row, one for each round; or why there are none.
struct Figures {
    let row: Row
    private var values: [Double] = []
    private var reason: String?

    init(_ row: Row) { self.row = row }

    mutating func measure(_ python: String) throws {
        guard reason == nil else { return }
        switch row.program {
        case .swift: values.append(try number(try output(of: ownPath, ["--measure", row.trial])))
        case .python where python.isEmpty: reason = "not asked for"
        case .python:
            let text = try output(of: "/usr/bin/env", [python, Self.script, row.trial])
            if text.hasPrefix("missing: ") || text.isEmpty {
                reason = text.isEmpty ? "\(python) does not run" : text
            } else {
                values.append(try number(text))
            }
        }
    }

    private static let script =
        URL(filePath: #filePath).appending(path: "../../../Scripts/coroutines.py").standardized.path()

    private var ownPath: String { Bundle.main.executablePath ?? CommandLine.arguments[0] }

    private func number(_ text: String) throws -> Double {
        guard let number = Double(text) else { throw Failure(description: "\(row.title) printed \"\(text)\"") }
        return number
    }

    /// What a program prints, without the line's end.
    private func output(of program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments + (row.program == .swift ? ["--count", "\(row.count)"] : ["\(row.count)"])
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Nothing where the program is missing.
    var measured: Measured? { values.isEmpty ? nil : Measured(row.title, row.unit.rawValue, values) }

    // MARK: The table

    static func table(_ all: [Figures]) -> Table {
        var table = Table(["what", "unit", "median", "min–max", "ratio", "limit"])
        for figures in all { table.add(figures.cells(among: all)) }
        return table
    }

    private func cells(among all: [Figures]) -> [String] {
        guard reason == nil, let least = values.min(), let most = values.max() else {
            return [row.title, row.unit.rawValue, reason ?? "", "", "", ""]
        }
        let spread = "\(decimal(least, 0))–\(decimal(most, 0))"
        return [row.title, row.unit.rawValue, decimal(median(values), 0), spread] + comparison(with: all)
    }

    private func comparison(with all: [Figures]) -> [String] {
        switch row.limit {
        case .ratio(let limit, let other):
            let others = all.first { $0.row.title == other }?.values ?? []
            let ratios = zip(values, others).map { $0 / $1 }
            return [ratios.isEmpty ? "" : decimal(median(ratios), 2), decimal(limit, 2)]
        case .most(let limit): return ["", decimal(limit, 0)]
        case nil: return ["", ""]
        }
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// One line of standard error that is overwritten, so that standard output holds the table only.
func progress(_ text: String) {
    guard isatty(STDERR_FILENO) != 0 else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
}
