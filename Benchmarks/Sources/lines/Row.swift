import ArgumentParser
import AsyncUV
import Foundation
import UV

/// What a row of the table measures.
enum Row: String, CaseIterable, ExpressibleByArgument {
    case lines, byteLines, readLine, readUntil, withBytes, chunks, fileLines, fileByteLines

    var title: String {
        switch self {
        case .lines: "connection.lines()"
        case .byteLines: "connection.byteLines()"
        case .readLine: "connection.readLine()"
        case .readUntil: "connection.readUntil(LF)"
        case .withBytes: "connection.withBytes, a line each"
        case .chunks: "connection, chunks only"
        case .fileLines: "file.lines()"
        case .fileByteLines: "file.byteLines()"
        }
    }

    var isOfFile: Bool { self == .fileLines || self == .fileByteLines }

    /// - Returns: Nanoseconds of the reader's thread for a line.
    func measure(_ count: Int, _ line: [UInt8], _ file: String) throws -> Double {
        try EventLoop.run { loop in
            switch self {
            case .fileLines, .fileByteLines:
                return try await File.withFile(FilePath(file)) { file in
                    try await nanoseconds(count) {
                        var lines = 0
                        if self == .fileLines {
                            for try await _ in file.lines() { lines += 1 }
                        } else {
                            for try await _ in file.byteLines() { lines += 1 }
                        }
                        return lines
                    }
                }
            default: return try await fromConnection(count, line)
            }
        }
    }

    /// Another thread writes.
    private func fromConnection(_ count: Int, _ line: [UInt8]) async throws -> Double {
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
        let writing = Thread {
            try? EventLoop.run { _ in
                try await TCPConnection.withConnection(to: listener.localAddress) { connection in
                    let batch = [[UInt8]](repeating: line, count: 1_000).flatMap { $0 }
                    var left = count
                    while left > 0 {
                        try await connection.write(batch.prefix(min(left, 1_000) * line.count))
                        left -= min(left, 1_000)
                    }
                    try await connection.finishWriting()
                    _ = try await connection.read()
                }
            }
        }
        writing.start()
        guard let connection = try await listener.accept() else { return 0 }
        let result = try await nanoseconds(count) {
            var lines = 0
            switch self {
            case .lines: for try await _ in connection.lines() { lines += 1 }
            case .byteLines: for try await _ in connection.byteLines() { lines += 1 }
            case .readLine: while try await connection.readLine() != nil { lines += 1 }
            case .readUntil: while try await connection.readUntil(UInt8(ascii: "\n")) != nil { lines += 1 }
            case .withBytes:
                while try await connection.withBytes({ bytes in
                    var used = 0
                    while used < bytes.count, bytes[used] != UInt8(ascii: "\n") { used += 1 }
                    if used == bytes.count { return (used: 0, value: ()) }
                    lines += 1
                    return (used: used + 1, value: ())
                }) != nil {}
            default:
                var bytes = 0
                for try await chunk in connection { bytes += chunk.count }
                lines = bytes / line.count
            }
            return lines
        }
        await connection.close()
        await listener.close()
        return result
    }

    /// The thread's CPU time, because other programs may take its core away.
    private func nanoseconds(_ count: Int, _ body: () async throws -> Int) async throws -> Double {
        let start = clock_gettime_nsec()
        guard try await body() == count else { fatalError("lines were lost") }
        return Double(clock_gettime_nsec() - start) / Double(count)
    }

    private func clock_gettime_nsec() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
