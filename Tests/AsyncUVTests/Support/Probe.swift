import Foundation

/// Runs one of the programs that are built beside the tests, for what cannot be tested in the tests' own process.
func runProbe(_ name: String, _ arguments: [String] = []) async throws -> (status: CInt, output: String) {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let process = Process()
    process.executableURL = URL(filePath: tests).deletingLastPathComponent().appending(path: name)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    return try await onThread {
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}
