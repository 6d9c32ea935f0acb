import AsyncUV

/// A stream of the kind that a user may write: it is neither a `StreamConnection` nor a `ServedStream`.
final class PlainStream: ByteStream {
    typealias Element = [UInt8]
    private let inner: any ByteStream
    let loop: EventLoop

    init(_ inner: some ByteStream) {
        self.inner = inner
        loop = inner.loop
    }

    func read(upTo limit: Int) async throws -> [UInt8]? { try await inner.read(upTo: limit) }
    func readUntil(_ delimiter: UInt8, limit: Int) async throws -> [UInt8]? {
        try await inner.readUntil(delimiter, limit: limit)
    }
    func readLine(limit: Int) async throws -> String? { try await inner.readLine(limit: limit) }
    func readLineBytes(limit: Int) async throws -> [UInt8]? { try await inner.readLineBytes(limit: limit) }
    func unread(_ bytes: [UInt8]) async throws { try await inner.unread(bytes) }
    func write(_ bytes: [UInt8]) async throws { try await inner.write(bytes) }
    func write(contentsOf chunks: [[UInt8]]) async throws { try await inner.write(contentsOf: chunks) }
    func finishWriting() async throws { try await inner.finishWriting() }
    func close() async { await inner.close() }

    struct AsyncIterator: AsyncIteratorProtocol {
        let stream: PlainStream
        mutating func next() async throws -> [UInt8]? { try await stream.read() }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
