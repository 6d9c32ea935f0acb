internal import AsyncUV
internal import UV

/// Reading and writing, in the way that costs least with the stream.
extension ServerConnection {
    @inline(__always)
    func read(timeout: Duration?, untilDraining: Bool) async throws -> [UInt8]? {
        if let tcp {
            return try await tcp.read(upTo: Self.readSize, timeout: timeout, untilDraining: untilDraining)
        }
        if let served {
            return try await served.read(upTo: Self.readSize, timeout: timeout, untilDraining: untilDraining)
        }
        guard let timeout else { return try await stream.read(upTo: Self.readSize) }
        return try await withTimeout(timeout, on: stream.loop) { try await stream.read(upTo: Self.readSize) }
    }

    func write(_ chunks: [[UInt8]]) async throws {
        let time = server.time(for: chunks.reduce(0) { $0 + $1.count })
        if let tcp {
            if chunks.count == 1 { return try await tcp.write(chunks[0], timeout: time) }
            return try await tcp.write(contentsOf: chunks, timeout: time)
        }
        if let served { return try await served.write(contentsOf: chunks, timeout: time) }
        try await stream.write(contentsOf: chunks)
    }

    /// Writes an answer that is one array.
    @inline(__always)
    func write(_ bytes: [UInt8]) async throws {
        guard let tcp else { return try await write([bytes]) }
        let begun = try tcp.stream.beginWrite(bytes)
        if begun == .done { return }
        try await tcp.stream.endWrite(bytes, begun, within: server.time(for: bytes.count))
    }

    func abort() async {
        if let tcp { return await tcp.closeWithReset() }
        await served?.abort()
    }

    var peerAddress: SocketAddress? { tcp?.remoteAddress ?? served?.peerAddress }

    /// Whether the server ends.
    @inline(__always)
    var isDraining: Bool {
        get async throws {
            if let isDraining = tcp?.stream.isDrainingNow { return isDraining }
            return try await isDrainingElsewhere
        }
    }

    private var isDrainingElsewhere: Bool {
        get async throws {
            if let tcp { return try await tcp.isDraining }
            if let served { return try await served.isDraining }
            return false
        }
    }
}
