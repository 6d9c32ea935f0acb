public import AsyncUV

/// A stream of the kind that a user may write: it is neither a `StreamConnection` nor a `ServedStream`.
public final class PlainStream: ByteStream {
    public typealias Element = [UInt8]
    private let inner: any ByteStream
    public let isClosed = Shared(false)
    public let loop: EventLoop

    public init(_ inner: some ByteStream) {
        self.inner = inner
        loop = inner.loop
    }

    /// Both ends of a stream in memory.
    public static func pair(on loop: EventLoop) async throws -> (PlainStream, PlainStream) {
        let (near, far) = try await LocalConnection.pair(on: loop)
        return (PlainStream(near), PlainStream(far))
    }

    public func read(upTo limit: Int) async throws -> [UInt8]? { try await inner.read(upTo: limit) }
    public func readUntil(_ delimiter: UInt8, limit: Int) async throws -> [UInt8]? {
        try await inner.readUntil(delimiter, limit: limit)
    }
    public func readLine(limit: Int) async throws -> String? { try await inner.readLine(limit: limit) }
    public func readLineBytes(limit: Int) async throws -> [UInt8]? { try await inner.readLineBytes(limit: limit) }
    public func unread(_ bytes: [UInt8]) async throws { try await inner.unread(bytes) }
    public func write(_ bytes: [UInt8]) async throws { try await inner.write(bytes) }
    public func write(contentsOf chunks: [[UInt8]]) async throws { try await inner.write(contentsOf: chunks) }
    public func finishWriting() async throws { try await inner.finishWriting() }

    public func close() async {
        isClosed.value = true
        await inner.close()
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let stream: PlainStream
        public mutating func next() async throws -> [UInt8]? { try await stream.read() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
