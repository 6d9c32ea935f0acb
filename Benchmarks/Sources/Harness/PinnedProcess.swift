import CSpawn
import Foundation

/// A program that runs on one core and whose output we read.
final class PinnedProcess {
    let name: String
    let id: pid_t
    private let output: FileHandle

    init(_ name: String, _ arguments: [String], core: Int) throws {
        let pipe = Pipe()
        var words = ([try Program.path(of: name)] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        self.name = name
        id = spawn_pinned(CInt(core), pipe.fileHandleForWriting.fileDescriptor, &words)
        output = pipe.fileHandleForReading
        guard id > 0 else { throw Failure("cannot start \(name)") }
        // Ours must go, or the output would never end.
        try pipe.fileHandleForWriting.close()
    }

    /// The next line, or what there is at the end of the output.
    func readLine() throws -> String {
        var bytes: [UInt8] = []
        while let byte = try output.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    func readAll() throws -> String {
        String(decoding: try output.readToEnd() ?? Data(), as: UTF8.self)
    }

    func terminate() { kill(id, SIGTERM) }

    /// Waits for the end, which has to be an `exit(0)`.
    func finish() throws {
        var status: CInt = 0
        while waitpid(id, &status, 0) < 0 && errno == EINTR {}
        guard status == 0 else { throw Failure("\(name) ended with wait status \(status)") }
    }
}
