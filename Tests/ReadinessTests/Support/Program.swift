import Foundation
import Readiness
import Testing

/// A program of this package as a child process.
final class Program {
    private let process = Process()
    private let output = Pipe()

    /// Starts it with a limit for its descriptors.
    init(_ name: String, _ arguments: [String], descriptors: Int = 1024) throws {
        let folder = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") as NSString
        let path = (folder.deletingLastPathComponent as NSString).appendingPathComponent(name)
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\"", path] + arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit { process.terminate() }

    /// The address in its first line, `listening on HOST:PORT`.
    func endpoint() throws -> Endpoint {
        var line = ""
        while !line.hasSuffix("\n"), let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            line += String(decoding: byte, as: UTF8.self)
        }
        let match = try #require(line.wholeMatch(of: /listening on (127\.0\.0\.1):(\d+)\n/), "\(line)")
        return try Endpoint(host: String(match.1), port: try #require(UInt16(match.2)))
    }

    /// How many descriptors it has open.
    func descriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processIdentifier)/fd").count
    }

    /// Asks it to end; returns its exit status, or minus the signal that killed it.
    func end() -> Int {
        process.terminate()
        process.waitUntilExit()
        return process.terminationReason == .exit ? Int(process.terminationStatus) : -Int(process.terminationStatus)
    }
}
