internal import AsyncUV
internal import UV

/// A stream to a server or a proxy.
final class ClientConnection: Sendable {
    /// What can share connections.
    struct Key: Hashable {
        let isSecure: Bool
        let host: String
        let port: UInt16
        /// Whether requests name the whole URL, because a proxy gets them.
        let isForProxy: Bool
    }

    let stream: any ByteStream
    let key: Key
    private let served: (any ServedStream)?

    init(_ stream: any ByteStream, _ key: Key) {
        self.stream = stream
        self.key = key
        served = stream as? any ServedStream
    }

    /// - Throws: ``UVError`` with `.timedOut`.
    func read(timeout: Duration?) async throws -> [UInt8]? {
        if let served { return try await served.read(upTo: 65_536, timeout: timeout, untilDraining: false) }
        guard let timeout else { return try await stream.read() }
        return try await withTimeout(timeout, on: stream.loop) { try await stream.read() }
    }

    /// - Throws: ``UVError`` with `.timedOut`.
    func write(_ chunks: [[UInt8]], timeout: Duration?) async throws {
        if let served { return try await served.write(contentsOf: chunks, timeout: timeout) }
        guard let timeout else { return try await stream.write(contentsOf: chunks) }
        try await withTimeout(timeout, on: stream.loop) { try await stream.write(contentsOf: chunks) }
    }

    func close() async { await stream.close() }

    /// Closes at once, because more of an answer may come that nobody wants: a gentle close would go on taking it.
    func abort() async { if let served { await served.abort() } else { await stream.close() } }
}
