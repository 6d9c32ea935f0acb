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
        if let bytes = try await readBesideBuffer(upTo: limit) { return bytes.isEmpty ? nil : bytes }
        return buffer.take(upTo: limit)
    }

    /// Appends what is there to an array, at least one byte; that is 0 bytes at the end. Otherwise as ``read(upTo:)``.
    ///
    /// - Returns: How many bytes came.
    ///
    /// Cancellation, and any error: the array is as it was, and nothing has been taken.
    public mutating func read(into array: inout [UInt8], upTo limit: Int = 65_536) async throws -> Int {
        if let bytes = try await readBesideBuffer(upTo: limit) { return array.append(bytes) }
        return buffer.take(upTo: limit, into: &array)
    }

    /// Reads where the buffer has nothing, and could not hold more than is asked for.
    ///
    /// - Returns: `nil` when the bytes are in the buffer; none are there at the end.
    private mutating func readBesideBuffer(upTo limit: Int) async throws -> [UInt8]? {
        guard limit > 0 else { throw UVError(.invalidArgument, in: "read", of: "\(file.path) up to \(limit) bytes") }
        try await file.loop.pace()
        guard buffer.isEmpty else { return nil }
        if limit < bufferSize {
            _ = try await fill()
            return nil
        }
        let bytes = try await file.read(upTo: limit, at: offset)
        offset += Int64(bytes.count)
        return bytes
    }

    /// Takes a line as text, without its end (LF or CR LF); `nil` at the end. Wrong UTF-8 is repaired.
    ///
    /// - Parameter limit: The longest line, in bytes, without its end; a longer one throws ``UVError`` with `.messageTooLong`.
    ///
    /// Cancellation: nothing has been taken.
    public mutating func readLine(limit: Int = 1 << 20) async throws -> String? {
        try await readPiece { bytes, isLast throws(UVError) in
            try bytes.takeText(limit: limit, isLast: isLast, "readLine")
        }
    }

    /// Takes a line as bytes. Otherwise as ``readLine(limit:)``.
    public mutating func readLineBytes(limit: Int = 1 << 20) async throws -> [UInt8]? {
        try await readPiece { bytes, isLast throws(UVError) in
            try bytes.takeLine(limit: limit, isLast: isLast, "readLine")
        }
    }

    private mutating func readPiece<Piece>(
        _ take: (inout LineSplitter, _ isLast: Bool) throws(UVError) -> Piece?
    ) async throws -> Piece? {
        try await file.loop.pace()
        var isLast = false
        while true {
            do throws(UVError) {
                if let piece = try take(&buffer, isLast) { return piece }
            } catch { throw error.naming(file.path) }
            if isLast { return nil }
            isLast = try await !fill()
        }
    }

    /// Lends the body all bytes of the buffer, without a copy, for parsers of messages. It reads more if there are none, or none but
    /// those of which the last body could use none.
    ///
    /// The body says how many bytes it has used, from the first one on: see ``StreamConnection/withBytes(limit:timeout:untilDraining:_:)``.
    ///
    /// - Parameter limit: If the body can use none of so many bytes, the next call throws ``UVError`` with `.messageTooLong`, and they
    ///   can be read otherwise. The body may get a whole buffer more than that.
    /// - Returns: The body's value; `nil` at the end, when every byte is used.
    /// - Throws: What the body throws: it has used nothing then. ``UVError`` with `.endOfFile` when the file is at its end and the
    ///   body could use none of the rest, `.invalidArgument` for a number of used bytes that cannot be.
    ///
    /// Cancellation: nothing has been taken, and the body is not called.
    public mutating func withBytes<Value>(
        limit: Int = 1 << 20, _ body: (Span<UInt8>) throws -> (used: Int, value: Value)
    ) async throws -> Value? {
        try await file.loop.pace()
        while buffer.count <= buffer.refused {
            if buffer.isEmpty {
                if try await !fill() { return nil }
                continue
            }
            let message = "\(file.path), a message of more than \(buffer.count) bytes"
            if buffer.count >= limit { throw UVError(.messageTooLong, in: "withBytes", of: message) }
            if try await !fill() { throw UVError(.endOfFile, in: "withBytes", of: message) }
        }
        var value: Value?
        _ = try buffer.lend("withBytes") { bytes in
            let result = try body(bytes)
            value = result.value
            return result.used
        }
        return value
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
