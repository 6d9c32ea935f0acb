internal import UV

extension File {
    /// A writer that collects small pieces, so that they are one trip to the thread pool. It has to be closed, or flushed: what it
    /// holds is lost when it is dropped.
    ///
    /// - Parameter offset: Where to write; `nil` writes behind the file's end.
    /// - Parameter bufferSize: How many bytes it collects before they are written.
    public func writer(at offset: Int64? = 0, bufferSize: Int = 65_536) -> FileWriter {
        FileWriter(file: self, offset, bufferSize)
    }
}

/// Writes to a file from a position on, with a buffer: see ``File/writer(at:bufferSize:)``. Only one copy of it may go on.
///
/// It throws what `File.write(_:at:)` throws. After an error, a cancellation too, nobody knows what of the buffer has been
/// written: every later call throws that error again.
public struct FileWriter: Sendable {
    private let file: File
    private let bufferSize: Int
    /// Where what is in the buffer will be written.
    private var offset: Int64?
    private var buffer: [UInt8] = []
    private var failure: (any Error)?

    fileprivate init(file: File, _ offset: Int64?, _ bufferSize: Int) {
        self.file = file
        self.offset = offset
        self.bufferSize = bufferSize
    }

    /// Writes bytes, now or later. Others run now and then, however fast it is called.
    ///
    /// Cancellation: as after an error; bytes that were collected before may have been written.
    public mutating func write(_ bytes: [UInt8]) async throws {
        guard failure == nil, buffer.isEmpty, bytes.count >= bufferSize else { return try await write(bytes.span) }
        try await file.loop.pace()
        try await put(bytes)
    }

    /// Writes lent bytes, which are copied. Otherwise as ``write(_:)-([UInt8])``.
    public mutating func write(_ bytes: Span<UInt8>) async throws {
        if let failure { throw failure }
        try await file.loop.pace()
        buffer.append(copying: bytes)
        if buffer.count >= bufferSize { try await flush() }
    }

    /// Writes a part of an array. Otherwise as ``write(_:)-([UInt8])``.
    public mutating func write(_ bytes: ArraySlice<UInt8>) async throws { try await write(bytes.span) }

    /// Writes text as UTF-8. Otherwise as ``write(_:)-([UInt8])``.
    public mutating func write(_ text: String) async throws { try await write(text.utf8.span) }

    /// Writes what was collected. It is in the file then, perhaps not yet on the disk: see ``File/sync(dataOnly:timeout:)``.
    public mutating func flush() async throws {
        if let failure { throw failure }
        if buffer.isEmpty { return }
        let bytes = buffer
        buffer = []
        try await put(bytes)
    }

    /// Writes what was collected, and closes the file in any case.
    ///
    /// - Throws: What writing or closing throws, the first of them.
    public mutating func close() async throws {
        do { try await flush() } catch {
            try? await file.close()
            throw error
        }
        try await file.close()
    }

    private mutating func put(_ bytes: [UInt8]) async throws {
        do {
            if let offset {
                try await file.write(bytes, at: offset)
                self.offset = offset + Int64(bytes.count)
            } else {
                try await file.append(bytes)
            }
        } catch {
            failure = error
            throw error
        }
    }
}
