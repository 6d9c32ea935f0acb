internal import UV

extension File {
    /// A reader that goes through the file from an offset on: it knows its position, and has lines.
    ///
    /// - Parameter bufferSize: How many bytes it asks for at a time, at least 1.
    public func reader(from offset: Int64 = 0, bufferSize: Int = 65_536) -> FileReader {
        FileReader(file: self, offset, bufferSize)
    }
}

/// Reads a file from a position on, with a buffer: see ``File/reader(from:bufferSize:)``. A copy goes on by itself. The file stays
/// open, and others may use it; what they write may be read or not, as far as it is in the buffer.
///
/// It throws what ``File/read(upTo:at:)`` throws; then nothing has been taken. Others run now and then, however fast bytes
/// come.
public struct FileReader: Sendable {
    private let file: File
    private let bufferSize: Int
    /// Behind what is in the buffer.
    private var offset: Int64
    private var buffer = LineSplitter()

    fileprivate init(file: File, _ offset: Int64, _ bufferSize: Int) {
        self.file = file
        self.offset = offset
        self.bufferSize = bufferSize
    }

    /// Where the next byte comes from, counted from the file's start.
    public var position: Int64 { offset - Int64(buffer.count) }

    /// Takes what is there, at least one byte; `nil` at the end. More may come later, if the file grows.
    ///
    /// - Parameter limit: The most bytes to take.
    /// - Throws: ``UVError`` with `.invalidArgument` for a limit below 1.
    ///
    /// Cancellation: nothing has been taken.
    public mutating func read(upTo limit: Int) async throws -> [UInt8]? {
        guard limit > 0 else { throw UVError(.invalidArgument, in: "read", of: "\(file.path) up to \(limit) bytes") }
        try await file.loop.pace()
        if buffer.isEmpty {
            if limit >= bufferSize {
                let bytes = try await file.read(upTo: limit, at: offset)
                offset += Int64(bytes.count)
                return bytes.isEmpty ? nil : bytes
            }
            _ = try await fill()
        }
        return buffer.take(upTo: limit)
    }

    /// Takes a line as text, without its end (LF or CR LF); `nil` at the end. Wrong UTF-8 is repaired.
    ///
    /// - Parameter limit: The longest line, in bytes, without its end; a longer one throws ``UVError`` with `.messageTooLong`.
    ///
    /// Cancellation: nothing has been taken.
    public mutating func readLine(limit: Int = 1 << 20) async throws -> String? {
        try await file.loop.pace()
        var isLast = false
        while true {
            do throws(UVError) {
                if let line = try buffer.takeText(limit: limit, isLast: isLast, "readLine") { return line }
            } catch { throw error.naming(file.path) }
            if isLast { return nil }
            isLast = try await !fill()
        }
    }

    /// - Returns: False at the end.
    private mutating func fill() async throws -> Bool {
        guard bufferSize > 0 else {
            throw UVError(.invalidArgument, in: "read", of: "\(file.path) with a buffer of \(bufferSize) bytes")
        }
        let bytes = try await file.read(upTo: bufferSize, at: offset)
        offset += Int64(bytes.count)
        if !bytes.isEmpty { buffer.append(bytes) }
        return !bytes.isEmpty
    }
}
