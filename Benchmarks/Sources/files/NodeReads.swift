import Foundation

/// The rows made by Node, where there is one.
enum NodeReads {
    private static let rows: [String: Row] = [
        "cached": .nodeOne, "depth8": .nodeEight, "depth64": .nodeMany, "whole": .nodeWhole,
    ]

    /// `Scripts/files.mjs` prints a line for each thing: nanoseconds and a name.
    static func measure(_ node: String, _ samples: Samples, _ count: Int) -> [(Row, Double)] {
        guard !node.isEmpty else { return [] }
        let script = URL(filePath: #filePath).appending(path: "../../../Scripts/files.mjs").standardized
        let arguments = [samples.big, samples.small, "\(Samples.block)", "\(Samples.blocks)", "\(count)"]
        guard let text = try? output(of: [node, script.path()] + arguments) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let row = rows[String(words[1])] else { return nil }
            return Double(words[0]).map { (row, $0) }
        }
    }
}

/// What a program prints.
func output(of words: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(description: "\(words[0]) failed") }
    return String(decoding: text, as: UTF8.self)
}
