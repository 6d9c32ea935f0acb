import Foundation
import TestSupport
import Testing

/// K4: the main actor and all tasks on one loop, on the main thread, which belongs to a child process.
@Suite(.inTurn) struct MainExecutorTests {
    @Test(
        "K4: everything is on the main thread, in both ways to get there",
        arguments: ["async-main-probe", "main-executor-probe"])
    func checks(_ program: String) async throws {
        let (status, output) = try await run(program)
        let lines = output.split(separator: "\n").map(String.init)
        #expect(status == 0)
        #expect(lines.last == "end: true" && lines.count >= 22, "\(output)")
        for line in lines { #expect(line.hasSuffix(": true")) }
    }

    @Test(
        "An async main ends its process: by its return, and by exit", arguments: zip(["return", "exit"], [CInt(0), 3]))
    func ends(_ way: String, _ expected: CInt) async throws {
        #expect(try await run("async-main-probe", [way]).status == expected)
    }

    private func run(_ name: String, _ arguments: [String] = []) async throws -> (status: CInt, output: String) {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(filePath: tests).deletingLastPathComponent().appending(path: name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Array("hello\n".utf8))
        try input.fileHandleForWriting.close()
        return try PlainThread {
            let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
        }.value()
    }
}
