import Foundation
import Logging
import Synchronization

/// Appends each message, from debug upwards, as a line with time and level.
struct FileLogHandler: LogHandler {
    private let file: LogFile
    var logLevel = Logger.Level.debug
    var metadata: Logger.Metadata = [:]

    init(_ file: LogFile) { self.file = file }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let time = Date.now.formatted(.iso8601.time(includingFractionalSeconds: true))
        file.append("\(time) - network-server - \(event.level) - \(event.message)\n")
    }
}

/// A file that several loggers append to.
final class LogFile: Sendable {
    private let handle: Mutex<FileHandle>

    /// Opens the file at its end, or makes it.
    init(path: String) throws {
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
            }
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.seekToEnd()
        self.handle = Mutex(handle)
    }

    func append(_ line: String) { handle.withLock { try? $0.write(contentsOf: Data(line.utf8)) } }
}
