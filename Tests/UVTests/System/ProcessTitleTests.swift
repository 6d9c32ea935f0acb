import Foundation
import TestSupport
import Testing
import UV

/// In child processes: the title is the whole process's.
@Suite struct ProcessTitleTests {
    @Test("The system shows the title; the program keeps its arguments")
    func shown() async {
        await #expect(processExitsWith: .success) {
            let commandLine = FileManager.default.contents(atPath: "/proc/self/cmdline").map { [UInt8]($0) } ?? []
            let program = String(decoding: commandLine.prefix { $0 != 0 }, as: UTF8.self)
            guard try SystemInfo.processTitle.hasPrefix(program) else { fatalError("the command line is not there") }
            try SystemInfo.setProcessTitle("uv-test: é")
            guard try SystemInfo.processTitle == "uv-test: é" else { fatalError("another title") }
            let shown = FileManager.default.contents(atPath: "/proc/self/cmdline") ?? Data()
            guard shown.prefix(while: { $0 != 0 }) == Data("uv-test: é".utf8) else { fatalError("\(shown)") }
            guard CommandLine.arguments.first == program else { fatalError("\(CommandLine.arguments)") }
            guard
                unsafe getenv("PATH").map({ unsafe String(cString: $0) }) == ProcessInfo.processInfo.environment["PATH"]
            else {
                fatalError("the environment has changed")
            }
            // Longer than the command line: cut to its place.
            try SystemInfo.setProcessTitle(String(repeating: "x", count: 100_000))
            let cut = try SystemInfo.processTitle
            guard !cut.isEmpty, cut.utf8.count < commandLine.count, cut.allSatisfy({ $0 == "x" }) else {
                fatalError(cut)
            }
        }
    }

    @Test func errors() {
        expectError(.invalidArgument) { try SystemInfo.setProcessTitle("a\0b") }
    }
}
