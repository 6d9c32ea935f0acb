import Foundation

/// The same in Python, where there is one. Its frameworks are optional.
struct Python {
    let interpreter: String
    let rounds: Int
    let spawned: Int
    let count: Int

    init(_ interpreter: String, rounds: Int, spawned: Int, count: Int) {
        (self.interpreter, self.rounds, self.spawned, self.count) = (interpreter, rounds, spawned, count)
    }

    /// `Scripts/tasks.py` prints a line for each thing: nanoseconds and a name.
    func results() -> [(name: String, nanoseconds: Double)] {
        guard !interpreter.isEmpty else { return [] }
        let script = URL(filePath: #filePath).appending(path: "../../../Scripts/tasks.py").standardized
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [interpreter, script.path(), "\(rounds)", "\(spawned)", "\(count)"]
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
