internal import AsyncUV
internal import Synchronization
internal import UV

/// The sending of a body, in a task of its own, because a server may answer before it has read everything.
final class ClientUpload: Sendable {
    private struct State {
        var written = 0
        var endedAt: LoopClock.Instant?
        var isWhole = false
        /// Whether the server takes no more.
        var isRefused = false
        /// What the closure has thrown.
        var error: (any Error)?
    }

    private let connection: ClientConnection
    private let content: HTTPClientBody.Content
    private let timeout: Duration
    private let subject: String
    private let state = Mutex(State())
    /// Until the server says 100, a while at most.
    private let goAhead: AsyncSemaphore?

    init(
        _ connection: ClientConnection, _ content: HTTPClientBody.Content, waits: Bool, timeout: Duration,
        _ subject: String
    ) {
        self.connection = connection
        self.content = content
        self.timeout = timeout
        self.subject = subject
        goAhead = waits ? AsyncSemaphore(permits: 0, on: connection.stream.loop) : nil
    }

    var hasEnded: Bool { endedAt != nil }
    var endedAt: LoopClock.Instant? { state.withLock { $0.endedAt } }
    var isWhole: Bool { state.withLock { $0.isWhole } }
    var error: (any Error)? { state.withLock { $0.error } }

    func begin() { goAhead?.release() }

    private static let pieceSize = 65_536

    func run() async {
        do {
            try await send()
            state.withLock { ($0.endedAt, $0.isWhole) = (.now, true) }
        } catch {
            // A server that takes no more may have answered: the reader sees it. Any other error ends the exchange.
            let isServers = state.withLock { state in
                state.endedAt = .now
                if state.isRefused || Task.isCancelled { return true }
                state.error = error
                return false
            }
            if !isServers { await connection.close() }
        }
    }

    private func send() async throws {
        if let goAhead {
            do { try await goAhead.acquire(timeout: .seconds(1)) } catch UVError.Code.timedOut {}
        }
        switch content {
        case .bytes(let bytes):
            for start in stride(from: 0, to: bytes.count, by: Self.pieceSize) {
                try await write([Array(bytes[start..<min(start + Self.pieceSize, bytes.count)])])
            }
        case .pieces(let length, let body):
            try await body(HTTPClientBodyWriter(upload: self))
            guard let length else { return try await write([Array("0\r\n\r\n".utf8)]) }
            let written = state.withLock { $0.written }
            if written != length { throw wrongLength(length, written) }
        }
    }

    /// A piece of the closure's.
    func write(_ bytes: [UInt8]) async throws {
        if bytes.isEmpty { return }
        let count = state.withLock { state in
            state.written += bytes.count
            return state.written
        }
        guard case .pieces(let length, _) = content, let length else {
            return try await write([Array("\(String(bytes.count, radix: 16))\r\n".utf8), bytes, [13, 10]])
        }
        if count > length { throw wrongLength(length, count) }
        try await write([bytes])
    }

    private func write(_ chunks: [[UInt8]]) async throws {
        do { try await connection.write(chunks, timeout: timeout) } catch UVError.Code.timedOut {
            throw HTTPClientError(.bodyTimeout, subject, "the server takes no more of the request for \(timeout)")
        } catch {
            if !(error is CancellationError) { state.withLock { $0.isRefused = true } }
            throw error
        }
    }

    private func wrongLength(_ promised: Int, _ written: Int) -> HTTPClientError {
        HTTPClientError(
            .badRequest, subject, "a body of \(promised) bytes was promised, and \(written) bytes were written")
    }
}
