/// Waits that end: by a timeout of the connection or of a call, and because the connection's server drains.
///
/// A wait that ends so loses no byte, and the connection can be used on.
extension StreamConnection {
    // MARK: The connection's idle timeout

    /// How long a read or write may wait without a byte moving on the connection, in either direction; `nil`, as at first,
    /// for ever.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    @inlinable
    public var idleTimeout: Duration? {
        get async throws { try await stream.idleTimeout }
    }

    /// Lets each read and write, and whatever is made of them (lines, `copy`, ``File/send(to:from:count:timeout:onProgress:)``,
    /// ``ByteStream/finishWriting()``), throw ``UVError`` with `.timedOut` when it has waited for so long and no byte has moved
    /// on the connection meanwhile, in either direction; `nil` for never. No byte is lost, and the connection can be used on.
    ///
    /// A byte of ours has moved when the peer's system has it. The timeout counts for waits that begin from now on. It is never
    /// early, and about a hundredth of the timeout late, or two milliseconds. It costs a look at the clock for each read that
    /// waits. A write that times out is as one that is cancelled: if it has begun it leaves as a whole, else nothing of it is
    /// sent.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for a timeout that is not positive, `.canceled` when the loop has ended.
    @inlinable
    public func setIdleTimeout(_ timeout: Duration?) async throws { try await stream.setIdleTimeout(timeout) }

    // MARK: The end of the server

    /// Whether the connection should end after what is under way: the listener that its ``TCPListener/serve(maxConnections:idleTimeout:onError:_:)``
    /// belongs to has been closed, or its loop's ``EventLoop/shutdown(grace:)`` has begun.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    @inlinable
    public var isDraining: Bool {
        get async throws { try await stream.isDraining }
    }

    // MARK: Reading

    /// Takes what is there, or what comes in time. Otherwise as ``ByteStream/read(upTo:)``.
    ///
    /// - Parameter timeout: How long to wait, `nil` for ever. Zero and less wait for nothing but what the system has already.
    /// - Parameter untilDraining: Whether the stream seems to end when ``isDraining`` is true and the system has no byte: for
    ///   reads at the boundary between two messages, such as a server's for the next request.
    /// - Throws: ``UVError`` with `.timedOut` when nothing has come in time.
    @inlinable
    public func read(
        upTo limit: Int = 65_536, timeout: Duration?, untilDraining: Bool = false
    ) async throws -> [UInt8]? {
        try await stream.read(upTo: limit, timeout: timeout, untilDraining: untilDraining)
    }

    /// Takes what is there; `nil` also when the server drains. Otherwise as ``read(upTo:timeout:untilDraining:)``.
    @inlinable
    public func read(upTo limit: Int = 65_536, untilDraining: Bool) async throws -> [UInt8]? {
        try await stream.read(upTo: limit, timeout: nil, untilDraining: untilDraining)
    }

    /// Takes exactly that many bytes if they come in time. Otherwise as ``ByteStream/read(exactly:)``.
    ///
    /// - Parameter timeout: For all of them; `nil` for ever.
    /// - Throws: ``UVError`` with `.timedOut` when they have not come in time; what came can be read.
    public func read(exactly count: Int, timeout: Duration?) async throws -> [UInt8] {
        let time = TimeLeft(timeout)
        return try await read(exactly: count) { try await self.read(upTo: $0, timeout: time.left) }
    }

    /// Appends what is there, or what comes in time, to an array. Otherwise as ``ByteStream/read(into:upTo:)``.
    ///
    /// - Parameter timeout: As in ``read(upTo:timeout:untilDraining:)``, as is what is thrown.
    public func read(
        into buffer: inout [UInt8], upTo limit: Int = 65_536, timeout: Duration?
    ) async throws -> Int {
        buffer.append(try await read(upTo: limit, timeout: timeout))
    }

    /// Takes everything up to the end if the peer finishes in time. Otherwise as ``ByteStream/readToEnd(limit:)``.
    ///
    /// - Parameter timeout: For all of it; `nil` for ever.
    /// - Throws: ``UVError`` with `.timedOut` when the end has not come in time; what came can be read.
    public func readToEnd(limit: Int = 64 << 20, timeout: Duration?) async throws -> [UInt8] {
        let time = TimeLeft(timeout)
        return try await readToEnd(limit: limit) {
            try await self.read(into: &$0, upTo: 65_536, timeout: time.left)
        }
    }

    /// Takes the bytes up to and including a delimiter if they come in time. Otherwise as ``ByteStream/readUntil(_:limit:)``.
    ///
    /// - Parameter timeout: For all of them; `nil` for ever.
    /// - Parameter untilDraining: Whether the stream seems to end when ``isDraining`` is true and no byte of the piece is here.
    /// - Throws: ``UVError`` with `.timedOut` when the delimiter has not come in time; what came can be read.
    @inlinable
    public func readUntil(
        _ delimiter: UInt8, limit: Int = 1 << 20, timeout: Duration?, untilDraining: Bool = false
    ) async throws -> [UInt8]? {
        try await stream.readUntil(
            delimiter, limit: limit, timeout: timeout, untilDraining: untilDraining)
    }

    /// Takes the bytes up to a delimiter; `nil` also when the server drains. Otherwise as
    /// ``readUntil(_:limit:timeout:untilDraining:)``.
    @inlinable
    public func readUntil(_ delimiter: UInt8, limit: Int = 1 << 20, untilDraining: Bool) async throws -> [UInt8]? {
        try await stream.readUntil(delimiter, limit: limit, timeout: nil, untilDraining: untilDraining)
    }

    /// Takes a line if it comes in time. Otherwise as ``ByteStream/readLine(limit:)``.
    ///
    /// - Parameter timeout: For the whole line; `nil` for ever.
    /// - Parameter untilDraining: Whether the stream seems to end when ``isDraining`` is true and no byte of the line is here.
    /// - Throws: ``UVError`` with `.timedOut` when the line has not come in time; what came can be read.
    @inlinable
    public func readLine(
        limit: Int = 1 << 20, timeout: Duration?, untilDraining: Bool = false
    ) async throws -> String? {
        try await stream.readLine(limit: limit, timeout: timeout, untilDraining: untilDraining)
    }

    /// Takes a line; `nil` also when the server drains. Otherwise as ``readLine(limit:timeout:untilDraining:)``.
    @inlinable
    public func readLine(limit: Int = 1 << 20, untilDraining: Bool) async throws -> String? {
        try await stream.readLine(limit: limit, timeout: nil, untilDraining: untilDraining)
    }

    /// Takes a line as bytes if it comes in time. Otherwise as ``readLine(limit:timeout:untilDraining:)``.
    @inlinable
    public func readLineBytes(
        limit: Int = 1 << 20, timeout: Duration?, untilDraining: Bool = false
    ) async throws -> [UInt8]? {
        try await stream.readLineBytes(limit: limit, timeout: timeout, untilDraining: untilDraining)
    }

    /// Takes a line as bytes; `nil` also when the server drains. Otherwise as ``readLine(limit:timeout:untilDraining:)``.
    @inlinable
    public func readLineBytes(limit: Int = 1 << 20, untilDraining: Bool) async throws -> [UInt8]? {
        try await stream.readLineBytes(limit: limit, timeout: nil, untilDraining: untilDraining)
    }

    // MARK: Writing

    /// Writes all of the bytes if the system takes them in time. Otherwise as `ByteStream.write(_:)`.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever.
    /// - Throws: ``UVError`` with `.timedOut` when the system has not taken all in time. A write that has begun leaves as a whole
    ///   nevertheless, before any later one, unless the stream is closed. Of one that still waits for others nothing is sent.
    @inlinable
    public func write(_ bytes: [UInt8], timeout: Duration?) async throws {
        try await stream.write(bytes, within: timeout)
    }

    /// Writes a text in UTF-8. Otherwise as `write(_:timeout:)`.
    @inlinable
    public func write(_ text: String, timeout: Duration?) async throws {
        try await stream.write(text.utf8.span, within: timeout)
    }

    /// Writes lent bytes: those that fit at once are not copied. Otherwise as `write(_:timeout:)`.
    @inlinable
    public func write(_ bytes: Span<UInt8>, timeout: Duration?) async throws {
        try await stream.write(bytes, within: timeout)
    }

    /// Writes a part of an array. Otherwise as `write(_:timeout:)`.
    @inlinable
    public func write(_ bytes: ArraySlice<UInt8>, timeout: Duration?) async throws {
        try await stream.write(bytes.span, within: timeout)
    }

    /// Writes several arrays as one. Otherwise as `write(_:timeout:)`.
    @inlinable
    public func write(contentsOf chunks: [[UInt8]], timeout: Duration?) async throws {
        try await stream.write(contentsOf: chunks, within: timeout)
    }

    /// Finishes our side if what was written leaves in time. Otherwise as ``ByteStream/finishWriting()``.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever.
    /// - Throws: ``UVError`` with `.timedOut`; our side is finished nevertheless, when what was written has left.
    @inlinable
    public func finishWriting(timeout: Duration?) async throws { try await stream.finishWriting(within: timeout) }
}
