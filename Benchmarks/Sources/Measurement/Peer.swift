import Foundation

/// A program in another language that measures the same: it prints a line for each thing, nanoseconds and a name.
package enum Peer {
    /// The rows of a script of `Scripts`; none without an interpreter.
    package static func python(_ interpreter: String, _ script: String, _ words: any CustomStringConvertible...) -> [(
        name: String, nanoseconds: Double
    )] {
        if interpreter.isEmpty { return [] }
        let path = URL(filePath: #filePath).appending(path: "../../../Scripts/\(script)").standardized.path()
        return rows([interpreter, path] + words.map(\.description))
    }

    /// The rows of a program beside this one, which is built only where its compiler is: see `Scripts/everyday`.
    package static func beside(_ name: String, _ words: String, _ numbers: Int...) -> [(
        name: String, nanoseconds: Double
    )] {
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return [] }
        let path = URL(filePath: own).deletingLastPathComponent().appending(path: name).path()
        guard FileManager.default.isExecutableFile(atPath: path) else { return [] }
        return rows([path, words] + numbers.map(String.init))
    }

    private static func rows(_ command: [String]) -> [(name: String, nanoseconds: Double)] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let output = Pipe()
        process.standardOutput = output
        guard (try? process.run()) != nil, let text = try? output.fileHandleForReading.readToEnd() else { return [] }
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 1)
            return words.count == 2 ? Double(words[0]).map { (String(words[1]), $0) } : nil
        }
    }
}
