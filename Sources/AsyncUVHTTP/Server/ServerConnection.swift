internal import AsyncUV
internal import HTTPTypes
internal import Synchronization
internal import UV

/// A connection of a server: finds its requests, lends them to the handler, and sends what that answers.
///
/// One object for all requests of the connection: each has a number, and what is used after its time is told by it. The handler may be on any
/// thread, so the state is behind a lock; nothing waits while it is held.
final class ServerConnection: HTTPBodySource {
    struct State {
        enum Answer { case none, begun, ended }

        var parser: RequestParser
        /// Of the request that is being answered, as all of the following.
        var number: UInt32 = 0
        var answer = Answer.ended
        var isHead = false
        var version = HTTPVersion.http11
        /// Whether another request may follow.
        var isKept = true
        /// Whether the client has still to be told to send the body.
        var expectsContinue = false
        var isConnect = false
        var body = BodyReader(.none, limits: HTTPLimits())
        var bodyTaken = 0
        /// Why no more of the body can come: the client has left.
        var departure: UVError?
        /// How long the body was waited for.
        var bodyWaited = Duration.zero
        var isReading = false
        /// Waits for the end of the body to watch the client from then on.
        var bodyWatch: AsyncSemaphore?
        /// How many bytes of a body were written, and how many are to be.
        var written = 0
        var promised: Int?
        var isChunked = false
        /// Whether a piece was not sent, or not as a whole.
        var hasFailed = false
    }

    let server: HTTPServer
    let stream: any ByteStream
    /// The stream, of the usual kind: calls of a known type cost less.
    let tcp: TCPConnection?
    private let served: (any ServedStream)?
    private let lobby: Lobby?
    let state: Mutex<State>

    /// How many bytes come at a time.
    private static let readSize = 16_384
    /// How much of a body that nobody wanted is read, so that the connection can be kept.
    static let dropped = 262_144

    init(_ server: HTTPServer, _ stream: any ByteStream, _ tcp: TCPConnection?, _ lobby: Lobby?) {
        self.server = server
        self.stream = stream
        self.tcp = tcp ?? stream as? TCPConnection
        served = self.tcp == nil ? stream as? any ServedStream : nil
        self.lobby = lobby
        state = Mutex(State(parser: RequestParser(limits: server.limits)))
    }

    // MARK: One request after the other

    func serve(_ handler: HTTPServer.Handler) async throws {
        while true {
            let parsed: ParsedRequest
            do {
                guard let next = try await nextRequest() else { return }
                parsed = next
            } catch let refusal as HTTPRefusal {
                server.noteRefusal()
                return try await refuse(refusal)
            }
            let request = begin(parsed)
            var failure: (any Error)?
            do {
                try await handler(request, HTTPServerResponse(connection: self, number: request.body.number))
            } catch { failure = error }
            guard try await end(request.body.number, failure) else { return }
        }
    }

    /// The next request; nothing when the client has gone or is to go.
    @inline(__always)
    private func nextRequest() async throws -> ParsedRequest? {
        let (request, isBetween) = try state.withLock { state throws(HTTPRefusal) in
            (try state.parser.next(), state.parser.isBetweenRequests)
        }
        if let request { return request }
        guard let lobby else { return try await waitForRequest(isBetween) }
        let ticket = lobby.enter(stream)
        do {
            let request = try await waitForRequest(isBetween)
            lobby.leave(ticket)
            return request
        } catch {
            // Closed to make room.
            if !lobby.leave(ticket), error is UVError { return nil }
            throw error
        }
    }

    private func waitForRequest(_ isBetween: Bool) async throws -> ParsedRequest? {
        var deadline: LoopClock.Instant?
        var isBetween = isBetween
        while true {
            if !isBetween, deadline == nil { deadline = .now + server.patience }
            do {
                // Between two requests a server that ends waits for nobody.
                guard let bytes = try await read(timeout: deadline.map { $0 - .now }, untilDraining: isBetween) else {
                    return nil
                }
                let request: ParsedRequest?
                (request, isBetween) = try state.withLock { state throws(HTTPRefusal) in
                    state.parser.input.append(bytes)
                    return (try state.parser.next(), state.parser.isBetweenRequests)
                }
                if let request { return request }
            } catch let error as UVError where error.code == .timedOut {
                server.noteTimeout()
                if isBetween { return nil }
                throw HTTPRefusal(.requestTimeout, "the request did not come in time")
            }
        }
    }

    private func begin(_ parsed: ParsedRequest) -> HTTPServerRequest {
        server.noteRequest()
        let length: Int? =
            switch parsed.body {
            case .none: 0
            case .length(let count): count
            case .chunked, .toEnd: nil
            }
        let number = state.withLock { state in
            state.answer = .none
            state.isHead = parsed.head.method == .head
            state.isConnect = parsed.head.method == .connect
            state.version = parsed.version
            state.isKept = parsed.keepsConnection
            state.expectsContinue = parsed.expectsContinue
            state.departure = nil
            if length != 0 || !state.body.hasEnded {
                state.body = BodyReader(parsed.body, limits: server.limits)
                state.bodyTaken = 0
                state.bodyWaited = .zero
            }
            return state.number
        }
        let body = HTTPBody(source: self, number: number, length: length, limit: server.limits.body)
        return HTTPServerRequest(parsed.head, body, self)
    }

    /// The handler has ended.
    ///
    /// - Returns: Whether another request may follow.
    @inline(__always)
    private func end(_ number: UInt32, _ error: (any Error)?) async throws -> Bool {
        let (answer, isKept, isOver) = state.withLock { state in
            let isOver =
                error == nil && state.answer == .ended && (!state.isKept || state.body.hasEnded) && !state.isReading
            // What the handler has left behind must not use it any more.
            if isOver { state.number &+= 1 }
            return (state.answer, state.isKept, isOver)
        }
        if isOver { return isKept }
        return try await endSlowly(number, error, answer)
    }

    @inline(never)
    private func endSlowly(_ number: UInt32, _ error: (any Error)?, _ answer: State.Answer) async throws -> Bool {
        if error != nil || answer != .ended { return try await endBadly(number, error, answer) }
        let isReading = state.withLock { $0.isReading }
        let goesOn = isReading ? false : try await drop(number)
        state.withLock { $0.number &+= 1 }
        return goesOn
    }

    @inline(never)
    private func endBadly(_ number: UInt32, _ error: (any Error)?, _ answer: State.Answer) async throws -> Bool {
        defer { state.withLock { $0.number &+= 1 } }
        let failure = error ?? (answer == .none ? HTTPServerError.noAnswer : .unfinished)
        if let left = failure as? UVError, state.withLock({ $0.departure == left }) {
            await endDeparted(number, answer)
            return false
        }
        if failure as? HTTPServerError == .clientGone {
            if answer == .begun, seemsWhole { await abort() }
            return false
        }
        switch answer {
        case .none:
            if let refusal = failure as? HTTPRefusal {
                try await send(number, refusal)
                let (isKept, isReading) = state.withLock { ($0.isKept, $0.isReading) }
                if !isKept || isReading { return false }
                return try await drop(number)
            }
            state.withLock { $0.isKept = false }
            // The connection may have been what failed.
            try? await send(
                number, HTTPRefusal(.internalServerError, "something went wrong here"))
        case .begun:
            let isTooSlow = (failure as? UVError)?.code == .timedOut
            if isTooSlow { server.noteTimeout() }
            // What a client does not take is not to be kept for it.
            if isTooSlow || seemsWhole { await abort() }
        case .ended: break
        }
        throw failure
    }

    /// The client has left within its body, which is no error of the handler's. It may listen still.
    private func endDeparted(_ number: UInt32, _ answer: State.Answer) async {
        server.noteRefusal()
        switch answer {
        case .none: try? await send(number, HTTPRefusal(.badRequest, "the body is not whole"))
        case .begun: if seemsWhole { await abort() }
        case .ended: break
        }
    }

    /// Whether the client would take what it has for the whole answer: a body up to the end of the connection.
    private var seemsWhole: Bool { state.withLock { $0.promised == nil && !$0.isChunked } }

    /// Drops the rest of a body, if it is short.
    private func drop(_ number: UInt32) async throws -> Bool {
        let (hasEnded, limit) = state.withLock { ($0.body.hasEnded, $0.bodyTaken + Self.dropped) }
        if hasEnded { return true }
        do {
            while try await nextPiece(of: number, limit: limit) != nil {}
            return true
        } catch is HTTPRefusal {
            return false
        } catch let error as UVError where error.code == .endOfFile || error.code == .connectionReset {
            return false
        }
    }

    // MARK: Refusals

    /// Answers what is no proper request.
    private func refuse(_ refusal: HTTPRefusal) async throws {
        let number = state.withLock { state in
            state.answer = .none
            state.isHead = false
            state.isKept = false
            state.expectsContinue = false
            state.body = BodyReader(.none, limits: server.limits)
            return state.number
        }
        try await send(number, refusal)
    }

    private func send(_ number: UInt32, _ refusal: HTTPRefusal) async throws {
        let kind = refusal.status.kind
        let status = kind == .clientError || kind == .serverError || kind == .redirection ? refusal.status : 500
        try await send(
            number, status, [.contentType: "text/plain; charset=utf-8"], Array("\(refusal)\n".utf8))
    }

    // MARK: Reading a body

    fileprivate enum Step {
        case piece([UInt8]?)
        case wait(tellsToContinue: Bool, Duration)
    }

    func nextPiece(of number: UInt32, limit: Int) async throws -> [UInt8]? {
        while true {
            let (step, watch) = try state.withLock { state in
                (try state.nextPiece(of: number, limit: limit, server), state.takeBodyWatch())
            }
            watch?.release()
            switch step {
            case .piece(let bytes): return bytes
            case .wait(let tellsToContinue, let time):
                let start = LoopClock.Instant.now
                var bytes: [UInt8]?
                do {
                    if tellsToContinue { try await write([Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)]) }
                    bytes = try await read(timeout: time, untilDraining: false)
                } catch {
                    let isLate = (error as? UVError)?.code == .timedOut
                    let watch = state.withLock { state in
                        state.isReading = false
                        if isLate { state.isKept = false }
                        if (error as? UVError)?.code == .connectionReset { state.leave(error as? UVError) }
                        return state.takeBodyWatch()
                    }
                    watch?.release()
                    if !isLate { throw error }
                    server.noteTimeout()
                    throw HTTPRefusal(.requestTimeout, "the body did not come in time")
                }
                let end = bytes == nil ? UVError(.endOfFile, in: "read", of: "the body of a request") : nil
                let watch = state.withLock { state in
                    state.isReading = false
                    state.bodyWaited += .now - start
                    if let bytes { state.parser.input.append(bytes) } else { state.leave(end) }
                    return state.takeBodyWatch()
                }
                watch?.release()
                if let end { throw end }
            }
        }
    }

    // MARK: The stream

    @inline(__always)
    private func read(timeout: Duration?, untilDraining: Bool) async throws -> [UInt8]? {
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

    private func abort() async {
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

extension ServerConnection.State {
    mutating func leave(_ error: UVError?) {
        departure = error
        isKept = false
    }

    fileprivate mutating func nextPiece(
        of number: UInt32, limit: Int, _ server: HTTPServer
    ) throws -> ServerConnection.Step {
        guard self.number == number else { throw HTTPServerError.isOver }
        if let remaining = body.remaining, remaining > limit || bodyTaken > limit - remaining { throw tooLong(limit) }
        let piece: BodyReader.Piece
        do { piece = try body.next(&parser.input) } catch {
            isKept = false
            throw error
        }
        switch piece {
        case .bytes(let bytes):
            bodyTaken += bytes.count
            if bodyTaken > limit { throw tooLong(limit) }
            expectsContinue = false
            return .piece(bytes)
        case .end: return .piece(nil)
        case .needsMore:
            if isReading { throw UVError(.alreadyInProcess, in: "read", of: "a body, which another task reads") }
            isReading = true
            let tellsToContinue = expectsContinue && answer == .none
            expectsContinue = false
            return .wait(tellsToContinue: tellsToContinue, server.time(for: bodyTaken) - bodyWaited)
        }
    }

    private mutating func tooLong(_ limit: Int) -> HTTPRefusal {
        isKept = false
        return HTTPRefusal(.contentTooLarge, "the body is longer than \(limit) bytes")
    }
}
