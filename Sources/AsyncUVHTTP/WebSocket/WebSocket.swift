public import AsyncUV
internal import Synchronization

/// A conversation in messages, both ways, over any stream of bytes (RFC 6455).
///
/// ```swift
/// for try await message in socket {
///     if case .text(let text) = message { try await socket.send("you said: \(text)") }
/// }
/// ```
///
/// Messages come in any number of frames; pings are answered, and a goodbye is answered, while somebody reads: ``next()`` or a
/// `for` loop. One task reads at a time; any number may send. A peer that breaks the protocol is told so, the stream is closed, and
/// ``WebSocketError`` says what was wrong. Extensions, such as compression, are not offered and not accepted.
///
/// Dropping it closes nothing: the stream belongs to whoever made it, until the conversation has ended.
public final class WebSocket: AsyncSequence, Sendable {
    public typealias Element = WebSocketMessage
    public typealias Failure = any Error

    /// The stream below, for its address and options. Who reads or writes it takes part in the conversation.
    public let stream: any ByteStream
    /// The stream, if it knows when its server ends.
    private let served: (any ServedStream)?
    /// Which end this is.
    public let role: WebSocketRole
    /// How much the peer may send, and how long its goodbye may take.
    public let limits: WebSocketLimits
    /// What both have agreed to talk, of what the client has offered.
    public let subprotocol: String?
    let core: Mutex<WebSocketCore>

    /// Begins a conversation on a stream whose handshake is over: see ``WebSocketHandshake``.
    public init(
        _ stream: any ByteStream, role: WebSocketRole, limits: WebSocketLimits = WebSocketLimits(),
        subprotocol: String? = nil
    ) {
        self.stream = stream
        served = role == .server ? stream as? any ServedStream : nil
        self.role = role
        self.limits = limits
        self.subprotocol = subprotocol
        core = Mutex(WebSocketCore(WebSocketDecoder(role, limits)))
    }

    /// The code that the peer has closed with, or the one that says why the conversation has failed; `nil` while it goes on.
    public var closeCode: WebSocketCloseCode? { core.withLock { $0.closeCode } }

    /// What the peer has said when it closed.
    public var closeReason: String { core.withLock { $0.closeReason } }

    // MARK: Reading

    /// Waits for the next message; `nil` when the peer has closed as it should (``WebSocketCloseCode/isOrderly``), or after
    /// ``close(_:reason:)``.
    ///
    /// - Throws: ``WebSocketError`` with `.closed` when the peer has closed with another code, `.truncated` when the stream ended
    ///   without a goodbye, `.protocolViolation`, `.invalidText` or `.tooLarge` when the peer has sent what it must not: then the
    ///   stream is closed. ``UVError`` with `.alreadyInProcess` while another task reads, but for ``close(_:reason:)``. Otherwise what reading the stream throws.
    ///
    /// Cancellation, and a timeout of the stream: nothing has been read; the next call goes on where this one was.
    public func next() async throws -> WebSocketMessage? {
        guard var decoder = try await takeDecoder() else {
            return try core.withLock({ $0.end }).flatMap { try value(of: $0) }
        }
        defer { core.withLock { $0.giveBack(decoder) } }
        try Task.checkCancellation()
        while true {
            if let message = try await decoded(by: &decoder) { return message }
            if let end = core.withLock({ $0.end }) { return try value(of: end) }
            switch try await readChunk(isBetween: decoder.isBetweenMessages) {
            case .bytes(let chunk): decoder.append(chunk)
            case .end: await truncate()
            case .draining: await sendGoingAway()
            }
        }
    }

    /// - Returns: `nil` after the end.
    private func takeDecoder() async throws -> WebSocketDecoder? {
        while true {
            switch core.withLock({ $0.takeTurn(on: stream.loop) }) {
            case .decoder(let decoder): return decoder
            case .over: return nil
            case .busy: throw UVError(.alreadyInProcess, in: "next", of: "a WebSocket that another task reads")
            case .wait(let readingEnds):
                try await readingEnds.acquire()
                // For the next one that waits.
                readingEnds.release()
            }
        }
    }

    /// The next message of what is there; `nil` when more bytes are needed, or when that was the end.
    private func decoded(by decoder: inout WebSocketDecoder) async throws -> WebSocketMessage? {
        do {
            while let event = try decoder.next() {
                switch event {
                case .message(let message):
                    // The task gives way when it gets many messages without a wait.
                    if decoder.isPausing { await Task.yield() }
                    return message
                case .ping(let payload):
                    if core.withLock({ $0.note(ping: payload) }) { stream.loop.spawn { await self.sendPongs() } }
                case .pong: break
                case .close(let code, let reason):
                    await answerClose(code, reason)
                    return nil
                }
            }
            return nil
        } catch {
            await fail(error)
            throw error
        }
    }

    private enum Chunk {
        case bytes([UInt8])
        /// Also when the stream was closed because the conversation has ended.
        case end
        /// The server ends, and no message has begun.
        case draining
    }

    private func readChunk(isBetween: Bool) async throws -> Chunk {
        let isLast = core.withLock { core in
            core.isWaiting = true
            return core.isLeaving
        }
        defer { core.withLock { $0.isWaiting = false } }
        do {
            var chunk: [UInt8]?
            if isLast {
                chunk = try await withTimeout(limits.closeTimeout, on: stream.loop) { try await stream.read() }
            } else if let served, isBetween {
                chunk = try await served.read(upTo: 65_536, timeout: nil, untilDraining: true)
                if chunk == nil, try await served.isDraining { return .draining }
            } else {
                chunk = try await stream.read()
            }
            core.withLock { $0.chunkCount += 1 }
            return chunk.map { .bytes($0) } ?? .end
        } catch let error as CancellationError { throw error } catch {
            if isLast || error.peerDeparture == .cutOff || core.withLock({ $0.end != nil }) { return .end }
            throw error
        }
    }

    private func value(of end: WebSocketCore.End) throws -> WebSocketMessage? {
        if case .failed(let error) = end { throw error }
        return nil
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let socket: WebSocket

        public func next() async throws -> WebSocketMessage? { try await socket.next() }

        // Without it a caller leaves its actor for each message, and with it perhaps the loop.
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> WebSocketMessage? {
            try await socket.next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(socket: self) }
}

extension WebSocket: CustomStringConvertible {
    /// For people: `WebSocket over TCP connection with 127.0.0.1:7000`.
    public var description: String { "WebSocket over \(stream)" }
}
