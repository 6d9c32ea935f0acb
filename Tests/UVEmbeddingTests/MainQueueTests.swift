import Foundation
import TestSupport
import Testing

/// Loops on the main thread, which belongs to a child process: on the main queue, and in foreign loops that know nothing of it.
@Suite(.inTurn) struct MainQueueTests {
    @Test(arguments: ["dispatchMain", "runLoop", "serving"])
    func theMainActorIsAlive(_ way: String) async throws {
        let (status, output) = try await runProbe(["main", way])
        let lines = output.split(separator: "\n").map(String.init)
        #expect(status == 0)
        #expect(lines.count == 6, "\(output)")
        for line in lines { #expect(line.hasSuffix(": true")) }
    }

    @Test("Under epoll and another loop of libuv", arguments: ["epoll", "nested"])
    func theTurnsServeIt(_ way: String) async throws {
        let (status, output) = try await runProbe(["main", way])
        let lines = output.split(separator: "\n").map(String.init)
        #expect(status == 0)
        #expect(lines.count == 5, "\(output)")
        for line in lines { #expect(line.hasSuffix(": true")) }
    }
}

private func runProbe(_ arguments: [String]) async throws -> (status: CInt, output: String) {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let process = Process()
    process.executableURL = URL(filePath: tests).deletingLastPathComponent().appending(path: "embedding-probe")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    return try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            continuation.resume(
                with: Result {
                    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
                    process.waitUntilExit()
                    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
                })
        }
    }
}
