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
        var departure: (any PeerError)?
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
    let served: (any ServedStream)?
    /// The connection's place in a server that has a limit of them.
    private let seat: ServeSeat?
    let state: Mutex<State>

    /// How many bytes come at a time.
    static let readSize = 16_384
    /// How much of a body that nobody wanted is read, so that the connection can be kept.
    static let dropped = 262_144

    init(_ server: HTTPServer, _ stream: any ByteStream, _ tcp: TCPConnection?, _ seat: ServeSeat?) {
        self.server = server
        self.stream = stream
        self.tcp = tcp ?? stream as? TCPConnection
        served = self.tcp == nil ? stream as? any ServedStream : nil
        self.seat = seat
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
        guard let seat else { return try await waitForRequest(isBetween) }
        let offer = seat.offer()
        if case .taken = offer {
            server.noteDisplaced()
            return nil
        }
        do {
            let request = try await waitForRequest(isBetween)
            _ = seat.keep(offer)
            return request
        } catch {
            // Closed to make room.
            if !seat.keep(offer), error is UVError {
                server.noteDisplaced()
                return nil
            }
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
            } catch let error where error.peerDeparture != nil {
                // Nothing is lost: a head without its end is no request.
                return nil
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
}
