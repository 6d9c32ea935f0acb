internal import UV

/// A connection of bytes, both ways.
///
/// Reads are driven by demand: besides one chunk nothing is read that nobody asked for. A write returns when the system
/// has every byte. So memory is bounded both ways without a setting. Reading and writing at the same time from two
/// tasks is fine; two readers at a time are an error. As a sequence it yields chunks as they come.
///
/// Reads and writes that succeed at once give way to other tasks, timers and IO when a turn of the loop has had enough of them.
public protocol ByteStream: AnyObject, Sendable, AsyncSequence<[UInt8], any Error> {
    /// The loop that the stream lives on.
    var loop: EventLoop { get }

    /// Takes what is there, at least one byte; `nil` when the peer has finished.
    ///
    /// - Parameter limit: The most bytes to take; 65,536 at most come at a time.
    /// - Throws: ``UVError`` with `.connectionReset` and relatives, `.alreadyInProcess` while another task reads,
    ///   `.badFileDescriptor` when closed, `.canceled` when it is closed meanwhile or its loop ends, `.invalidArgument` for a
    ///   limit below 1.
    ///
    /// Cancellation: nothing has been read.
    func read(upTo limit: Int) async throws -> [UInt8]?

    /// Appends what is there to an array, at least one byte, without making another array. Otherwise as ``read(upTo:)``.
    ///
    /// - Returns: How many bytes came; 0 when the peer has finished.
    ///
    /// Cancellation, and any error: the array is as it was. When the loop ends meanwhile it may be empty.
    func read(into buffer: inout [UInt8], upTo limit: Int) async throws -> Int

    /// Takes the bytes up to and including a delimiter; `nil` at the end, when no byte is left.
    ///
    /// The last piece may lack the delimiter.
    ///
    /// - Parameter limit: More bytes than this before a delimiter throw ``UVError`` with `.messageTooLong`; they can be read
    ///   otherwise.
    ///
    /// Cancellation: nothing has been read.
    func readUntil(_ delimiter: UInt8, limit: Int) async throws -> [UInt8]?

    /// Takes a line as text, without its end (LF or CR LF); `nil` at the end of the stream. Wrong UTF-8 is repaired.
    ///
    /// - Parameter limit: The longest line, in bytes, without its end; a longer one throws ``UVError`` with
    ///   `.messageTooLong` and can be read otherwise.
    ///
    /// Cancellation: nothing has been read.
    func readLine(limit: Int) async throws -> String?

    /// Takes a line as bytes. Otherwise as ``readLine(limit:)``.
    func readLineBytes(limit: Int) async throws -> [UInt8]?

    /// Gives bytes back: the next read gets them first, before what was given back earlier. On a closed stream they are
    /// dropped.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none; it does not wait.
    func unread(_ bytes: [UInt8]) async throws

    /// Writes all of the bytes, after everything written before, and returns when the system has them. Without bytes it
    /// returns when the system has everything written before.
    ///
    /// - Throws: ``UVError`` with `.brokenPipe` or `.connectionReset` when the peer is gone, `.socketShutdown` after
    ///   ``finishWriting()``, `.badFileDescriptor` when closed, `.canceled` when it is closed meanwhile or its loop ends.
    ///
    /// Cancellation: a write that has begun leaves as a whole, before any later one, unless the stream is closed. Of one
    /// that still waits for others nothing is sent.
    func write(_ bytes: [UInt8]) async throws

    /// Writes lent bytes: those that fit at once are not copied. Otherwise as `write(_:)`.
    func write(_ bytes: Span<UInt8>) async throws

    /// Writes several arrays as one. Otherwise as `write(_:)`.
    func write(contentsOf chunks: [[UInt8]]) async throws

    /// Finishes our side, after what was written: the peer reads to the end. Reading goes on.
    ///
    /// - Throws: ``UVError`` with `.socketNotConnected` when it is finished already, `.badFileDescriptor` when closed,
    ///   `.brokenPipe` and relatives when the peer is gone, `.canceled` when it is closed meanwhile or its loop ends.
    ///
    /// Cancellation: our side is finished nevertheless, when what was written has left.
    func finishWriting() async throws

    /// Closes the stream, in a cancelled task too. Pending operations end with `.canceled`, and what has not left is
    /// dropped. Closing twice is harmless.
    ///
    /// It does not wait for the peer. But a peer that still sends gets what was written: the socket lives on in the
    /// background, and what comes is read and dropped until the peer finishes too, is silent for two to four seconds, or
    /// has sent 16 MiB; it ends after 30 s in any case, and with the loop.
    func close() async
}

extension ByteStream {
    /// Takes what is there, up to 65,536 bytes. Otherwise as ``read(upTo:)``.
    public func read() async throws -> [UInt8]? { try await read(upTo: 65_536) }

    /// Takes exactly that many bytes.
    ///
    /// - Throws: ``UVError`` with `.endOfFile` when the peer finishes before; what came can be read. Else as
    ///   ``read(upTo:)``.
    ///
    /// Cancellation: nothing has been read.
    public func read(exactly count: Int) async throws -> [UInt8] {
        try await read(exactly: count) { try await self.read(upTo: $0) }
    }

    /// - Parameter read: Takes so many bytes at most.
    func read(exactly count: Int, by read: (Int) async throws -> [UInt8]?) async throws -> [UInt8] {
        guard count >= 0 else { throw pieceError(.invalidArgument, in: "read", "\(count) bytes") }
        if count == 0 { try await loop.pace() }
        var bytes: [UInt8] = []
        do {
            while bytes.count < count {
                guard let more = try await read(count - bytes.count) else {
                    throw pieceError(.endOfFile, in: "read", "\(count) bytes after \(bytes.count)")
                }
                if bytes.isEmpty { bytes = more } else { bytes += more }
            }
        } catch {
            if !bytes.isEmpty { try? await unread(bytes) }
            throw error
        }
        return bytes
    }

    /// An error that says where bytes were to come from, and how many.
    private func pieceError(_ code: UVError.Code, in operation: String, _ piece: String) -> UVError {
        guard let name = (self as? any CustomStringConvertible)?.description else {
            return UVError(code, in: operation, of: piece)
        }
        return UVError(code, in: operation, from: "\(name), \(piece)")
    }

    /// - Parameter read: Appends what is there; returns 0 at the end.
    func readToEnd(limit: Int, by read: (inout [UInt8]) async throws -> Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            while try await read(&bytes) > 0 {
                if bytes.count > limit {
                    throw pieceError(.messageTooLong, in: "readToEnd", "more than \(limit) bytes")
                }
            }
        } catch {
            if !bytes.isEmpty { try? await unread(bytes) }
            throw error.asTimeout(of: "readToEnd")
        }
        return bytes
    }
}

extension ByteStream {
    public func read(into buffer: inout [UInt8], upTo limit: Int) async throws -> Int {
        buffer.append(try await read(upTo: limit))
    }

    /// Appends what is there to an array, up to 65,536 bytes. Otherwise as ``read(into:upTo:)``.
    @inlinable
    public func read(into buffer: inout [UInt8]) async throws -> Int { try await read(into: &buffer, upTo: 65_536) }

    /// Takes everything up to the end, when the peer has finished.
    ///
    /// - Parameter limit: More bytes than this throw ``UVError`` with `.messageTooLong`; they can be read otherwise. 64 MiB
    ///   unless told otherwise.
    ///
    /// Cancellation, and any error: nothing has been read. Otherwise as ``read(upTo:)``.
    public func readToEnd(limit: Int = 64 << 20) async throws -> [UInt8] {
        try await readToEnd(limit: limit) { try await self.read(into: &$0, upTo: 65_536) }
    }

    public func write(_ bytes: Span<UInt8>) async throws { try await write([UInt8](copying: bytes)) }

    /// Writes a text in UTF-8. Otherwise as `write(_:)`.
    @inlinable
    public func write(_ text: String) async throws { try await write(text.utf8.span) }

    /// Writes a part of an array. Otherwise as `write(_:)`.
    @inlinable
    public func write(_ bytes: ArraySlice<UInt8>) async throws { try await write(bytes.span) }

    /// Copies the stream to its end into another, no faster than the other takes it; then finishes the other's writing.
    ///
    /// - Parameter onCopied: Called after each chunk with its number of bytes, for those who want to know in spite of an
    ///   error.
    /// - Returns: How many bytes were copied.
    /// - Throws: What reading, writing and ``finishWriting()`` throw.
    ///
    /// Cancellation: a chunk whose write has begun leaves as a whole; it is not counted.
    @discardableResult
    public func copy(to destination: some ByteStream, onCopied: (Int) -> Void = { _ in }) async throws -> Int {
        var count = 0
        while let chunk = try await read() {
            try await destination.write(chunk)
            count += chunk.count
            onCopied(chunk.count)
        }
        try await destination.finishWriting()
        return count
    }
    /// Copies both ways at once until both sides have finished, as a proxy does. A side that finishes first can still listen.
    ///
    /// - Parameter onCopied: Called after each chunk that went from this stream to the other, with its number of bytes.
    /// - Parameter onCopiedBack: Called after each chunk that went from the other stream to this one.
    /// - Throws: The first error of either way, as ``copy(to:onCopied:)``. The other way is cancelled; both streams stay open.
    ///
    /// Cancellation: as ``copy(to:onCopied:)``, both ways.
    public func relay(
        with other: some ByteStream, onCopied: @escaping @Sendable (Int) -> Void = { _ in },
        onCopiedBack: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws {
        let loop = loop
        try await withThrowingTaskGroup { group in
            group.addTask(executorPreference: loop) { try await self.copy(to: other) { onCopied($0) } }
            group.addTask(executorPreference: loop) { try await other.copy(to: self) { onCopiedBack($0) } }
            // Not `waitForAll`, which waits for the other way although one has failed.
            while try await group.next() != nil {}
        }
    }
}

extension [UInt8] {
    /// Appends a chunk of a stream without a copy where that is possible.
    ///
    /// - Returns: How many bytes it has; 0 for the end of the stream.
    mutating func append(_ chunk: [UInt8]?) -> Int {
        guard let chunk else { return 0 }
        if isEmpty { self = chunk } else { self += chunk }
        return chunk.count
    }
}
