public import UV

/// A connection that is a stream of the callback layer: TCP. A conforming type makes its ``LoopStream``, drops it in its
/// `deinit`, and has all the rest from here.
public protocol StreamConnection: ByteStream, CustomStringConvertible {
    /// The handle of the callback layer.
    associatedtype Handle: StreamHandle

    /// What does the work.
    var stream: LoopStream { get }
}

// Inlined, so that a call of a known type goes straight to the stream.
extension StreamConnection {
    public var loop: EventLoop { stream.loop }

    @inlinable
    public func read(upTo limit: Int) async throws -> [UInt8]? { try await stream.read(upTo: limit) }

    @inlinable
    public func read(into buffer: inout [UInt8], upTo limit: Int) async throws -> Int {
        try await stream.read(into: &buffer, upTo: limit)
    }

    @inlinable
    public func readUntil(_ delimiter: UInt8, limit: Int) async throws -> [UInt8]? {
        try await stream.readUntil(delimiter, limit: limit)
    }

    @inlinable
    public func readLine(limit: Int) async throws -> String? { try await stream.readLine(limit: limit) }

    @inlinable
    public func readLineBytes(limit: Int) async throws -> [UInt8]? { try await stream.readLineBytes(limit: limit) }

    @inlinable
    public func unread(_ bytes: [UInt8]) async throws { try await stream.unread(bytes) }

    @inlinable
    public func write(_ bytes: [UInt8]) async throws { try await stream.write(bytes) }

    @inlinable
    public func write(_ bytes: Span<UInt8>) async throws { try await stream.write(bytes) }

    @inlinable
    public func write(contentsOf chunks: [[UInt8]]) async throws { try await stream.write(contentsOf: chunks) }

    @inlinable
    public func finishWriting() async throws { try await stream.finishWriting() }

    @inlinable
    public func close() async { await stream.close() }

    /// The chunks of the stream as they come. An iterator takes bytes as any other read does: one task at a time.
    @inlinable
    public func makeAsyncIterator() -> StreamChunks<Self> { StreamChunks(self) }

    /// Runs callback-layer code on the connection's handle, for what has no async form. A closed one's functions throw
    /// `.badFileDescriptor`.
    ///
    /// - Throws: What the body throws; ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none; the body does not suspend.
    public func withHandle<Value: Sendable>(_ body: @Sendable (Handle) throws -> Value) async throws -> Value {
        try await stream.withHandle(as: Handle.self, body)
    }

    /// The handle's label: a name of the user's own for lists of open handles.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public var label: String? {
        get async throws { try await withHandle { $0.label } }
    }

    /// Gives the handle a label: a name of the user's own for lists of open handles.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public func setLabel(_ label: String?) async throws { try await withHandle { $0.label = label } }

    /// The size of the system's send buffer in bytes; Linux says twice what was set.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public var sendBufferSize: Int {
        get async throws { try await withHandle { try $0.sendBufferSize } }
    }

    /// The size of the system's receive buffer in bytes; Linux says twice what was set.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public var receiveBufferSize: Int {
        get async throws { try await withHandle { try $0.receiveBufferSize } }
    }

    /// Asks for a size of the system's send buffer, 1 byte at least; the system has its own limits.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for other sizes, `.badFileDescriptor` when closed.
    public func setSendBufferSize(_ bytes: Int) async throws {
        try await withHandle { try $0.setSendBufferSize(bytes) }
    }

    /// Asks for a size of the system's receive buffer. Otherwise as ``setSendBufferSize(_:)``.
    public func setReceiveBufferSize(_ bytes: Int) async throws {
        try await withHandle { try $0.setReceiveBufferSize(bytes) }
    }
}

/// Yields the chunks of a connection as they come, up to 65,536 bytes each.
public struct StreamChunks<Connection: StreamConnection>: AsyncIteratorProtocol {
    @usableFromInline let connection: Connection

    @inlinable
    init(_ connection: Connection) { self.connection = connection }

    @inlinable
    public func next() async throws -> [UInt8]? { try await connection.stream.read(upTo: 65_536) }

    // Without it a caller leaves its actor for each chunk, and with it perhaps the loop. Not `isolated`: it would have to
    // switch back to its executor, 250 instructions a chunk. This comes back.
    @inlinable
    public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> [UInt8]? {
        try await connection.stream.read(upTo: 65_536)
    }
}
