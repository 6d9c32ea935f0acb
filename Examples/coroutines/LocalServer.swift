import ExampleSupport
import Foundation

/// The example `file-server`, beside this program, with a folder of pages that is removed again.
final class LocalServer: Sendable {
    let base: String
    private let leftover: Leftover

    /// Makes pages of so many bytes and starts the server.
    init(pages: [String: Int]) throws {
        let program = try Self.sibling("file-server")
        let folder = FileManager.default.temporaryDirectory.appending(path: "pages-\(UUID().uuidString)")
        let output = Pipe()
        let process = Process()
        process.executableURL = program
        process.arguments = ["--root", folder.path(), "--port", "0"]
        process.standardOutput = output
        leftover = Leftover {
            // It has nothing to lose, and other signals may be blocked: it has inherited the mask of a thread of the pool.
            if process.isRunning {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            try? FileManager.default.removeItem(at: folder)
        }
        do {
            try leftover.protect {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                for (name, size) in pages {
                    try Data(repeating: UInt8(ascii: "x"), count: size).write(to: folder.appending(path: name))
                }
                try process.run()
            }
            base = try Self.base(in: output.fileHandleForReading)
        } catch {
            leftover.clear()
            throw error
        }
    }

    func stop() { leftover.clear() }

    private static func sibling(_ name: String) throws -> URL {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(filePath: own).deletingLastPathComponent().appending(path: name)
        guard FileManager.default.isExecutableFile(atPath: program.path()) else {
            throw Problem(
                description: "there is no \(program.path()) to fetch from: `swift build --product \(name)`"
                    + " (with the options of this build) makes it; or give --base")
        }
        return program
    }

    /// Reads the server's first line, `listening on HOST:PORT`.
    private static func base(in output: FileHandle) throws -> String {
        var line: [UInt8] = []
        while let byte = try output.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") { line.append(byte) }
        let text = String(decoding: line, as: UTF8.self)
        guard text.hasPrefix("listening on ") else {
            throw Problem(description: "file-server says \"\(text)\" instead of where it listens")
        }
        return "http://\(text.dropFirst("listening on ".count))/"
    }
}
