internal import AsyncUV
internal import HTTPTypes
internal import Synchronization
internal import UV

/// A request on a connection, and its answer.
final class ClientExchange: HTTPBodySource {
    private struct State {
        var parser: ResponseParser
        var body: BodyReader
        var bodyTaken = 0
        var isReading = false
        /// When the request had left, but for an upload.
        var sentAt: LoopClock.Instant?
        /// Whether a byte of the answer has come.
        var hasBytes = false
        var isKept = false
        /// `nil` when the exchange is over.
        var connection: ClientConnection?
        var seat: ClientPool.Seat?
        var failure: HTTPClientError?
        var upload: (ClientUpload, Task<Void, Never>)?
    }

    private let pool: ClientPool
    private let configuration: HTTPClient.Configuration
    let url: HTTPURL
    private let state: Mutex<State>

    init(
        _ connection: ClientConnection, _ seat: ClientPool.Seat?, _ pool: ClientPool,
        _ configuration: HTTPClient.Configuration, _ url: HTTPURL
    ) {
        self.pool = pool
        self.configuration = configuration
        self.url = url
        state = Mutex(
            State(
                parser: ResponseParser(limits: configuration.limits),
                body: BodyReader(.none, limits: configuration.limits), connection: connection, seat: seat))
    }

    deinit {
        // Nobody wants the rest. Dropping the connection would take it nevertheless, and an upload may hold it.
        state.withLock { state in
            guard let connection = state.connection else { return }
            state.upload?.1.cancel()
            _ = Task(executorPreference: connection.stream.loop) { await connection.abort() }
        }
    }

    var hasBytes: Bool { state.withLock { $0.hasBytes } }
    var trailers: HTTPFields { state.withLock { $0.body.trailers } }

    private func error(_ kind: HTTPClientError.Kind, _ reason: String) -> HTTPClientError {
        HTTPClientError(kind, url.description, reason)
    }

    // MARK: The request

    /// Sends a request and waits for the head of the answer.
    func begin(_ request: ClientRequest) async throws -> ParsedResponse {
        guard let connection = state.withLock({ $0.connection }) else { throw error(.closed, "the exchange is over") }
        var failure: (any Error)?
        do { try await send(request, on: connection) } catch is CancellationError {
            throw CancellationError()
        } catch {
            // The server may have answered before it closed.
            failure = error
        }
        do { return try await readHead(request.method, on: connection) } catch is CancellationError {
            throw CancellationError()
        } catch {
            if !hasBytes, let failure { throw failure }
            throw error
        }
    }

    private func send(_ request: ClientRequest, on connection: ClientConnection) async throws {
        let head = request.head(isForProxy: connection.key.isForProxy, configuration)
        var chunks = [head]
        if case .bytes(let bytes) = request.body.content, bytes.count <= 65_536, !request.expectsContinue {
            if !bytes.isEmpty { chunks.append(bytes) }
            try await write(chunks, on: connection)
            return state.withLock { $0.sentAt = .now }
        }
        try await write(chunks, on: connection)
        let upload = ClientUpload(
            connection, request.body.content, waits: request.expectsContinue, timeout: configuration.bodyTimeout,
            url.description)
        let task = Task(executorPreference: connection.stream.loop) { await upload.run() }
        state.withLock { $0.upload = (upload, task) }
    }

    private func write(_ chunks: [[UInt8]], on connection: ClientConnection) async throws {
        do { try await connection.write(chunks, timeout: configuration.bodyTimeout) } catch UVError.Code.timedOut {
            throw error(.bodyTimeout, "the server takes no more of the request for \(configuration.bodyTimeout)")
        }
    }

    // MARK: The head

    private func readHead(_ method: HTTPRequest.Method, on connection: ClientConnection) async throws -> ParsedResponse
    {
        // A server may inform about progress, but not for ever.
        for _ in 0..<1_000 {
            let response = try await nextHead(method, on: connection)
            let code = response.head.status.code
            if code == 100 { state.withLock { $0.upload?.0.begin() } }
            if code >= 200 || code == 101 {
                await take(response)
                return response
            }
        }
        throw error(.badResponse, "the server informs without end")
    }

    private func nextHead(_ method: HTTPRequest.Method, on connection: ClientConnection) async throws -> ParsedResponse
    {
        while true {
            do {
                let response = try state.withLock { state throws(HTTPRefusal) in try state.parser.next(for: method) }
                if let response { return response }
            } catch { throw self.error(.badResponse, error.reason) }
            guard let bytes = try await readForHead(on: connection) else {
                throw error(
                    .truncated,
                    hasBytes
                        ? "the server ended the connection within the head of its answer"
                        : "the server ended the connection without an answer")
            }
            state.withLock { state in
                state.hasBytes = true
                state.parser.input.append(bytes)
            }
        }
    }

    private func readForHead(on connection: ClientConnection) async throws -> [UInt8]? {
        while true {
            do { return try await connection.read(timeout: max(.zero, timeForHead)) } catch is CancellationError {
                throw CancellationError()
            } catch {
                let upload = state.withLock { $0.upload?.0 }
                if let failure = upload?.error { throw failure }
                if error.peerDeparture == .cutOff { return nil }
                guard (error as? UVError)?.code == .timedOut else { throw error }
                if timeForHead > .zero { continue }
                throw self.error(
                    .responseTimeout, "the server has not answered within \(configuration.responseTimeout)")
            }
        }
    }

    /// How long the head may still take: from the end of the request on, whose writes have times of their own.
    private var timeForHead: Duration {
        let end = state.withLock { state in
            if let upload = state.upload { upload.0.endedAt } else { state.sentAt }
        }
        return end.map { configuration.responseTimeout - (.now - $0) } ?? configuration.responseTimeout
    }

    private func take(_ response: ParsedResponse) async {
        let isOver = state.withLock { state in
            state.body = BodyReader(response.body, limits: configuration.limits)
            state.isKept = response.keepsConnection
            if let (upload, task) = state.upload, !upload.hasEnded, response.head.status.code >= 300 {
                // The server does not want it.
                task.cancel()
                state.isKept = false
            }
            return state.body.hasEnded && response.head.status.code != 101
        }
        if isOver { await finish() }
    }

    /// The stream after a 101, or a 200 for CONNECT; what has come already is read first.
    func takeStream() async throws -> any ByteStream {
        let (connection, rest) = state.withLock { state in
            defer {
                state.connection = nil
                state.seat = nil
            }
            return (state.connection, state.parser.input.takePiece(upTo: .max))
        }
        guard let connection else { throw error(.closed, "the exchange is over") }
        if !rest.isEmpty { try await connection.stream.unread(rest) }
        return connection.stream
    }

    // MARK: The body

    func nextPiece(of number: UInt32, limit: Int) async throws -> [UInt8]? {
        while true {
            switch try state.withLock({ state throws in try nextStep(&state, limit) }) {
            case .piece(let bytes, let hasEnded):
                if hasEnded { await finish() }
                return bytes
            case .failed(let error):
                await fail(error)
                throw error
            case .read(let connection): try await readForBody(on: connection)
            }
        }
    }

    private enum Step {
        case piece([UInt8]?, hasEnded: Bool)
        case failed(HTTPClientError)
        case read(ClientConnection)
    }

    private func nextStep(_ state: inout State, _ limit: Int) throws -> Step {
        if let failure = state.failure { throw failure }
        if state.isReading { throw UVError(.alreadyInProcess, in: "read", of: "a body that another task reads") }
        if let remaining = state.body.remaining, remaining > limit || state.bodyTaken > limit - remaining {
            return .failed(error(.bodyTooLong, "the body is longer than \(limit) bytes"))
        }
        let piece: BodyReader.Piece
        do { piece = try state.body.next(&state.parser.input) } catch {
            return .failed(self.error(.badResponse, error.reason))
        }
        switch piece {
        case .bytes(let bytes):
            state.bodyTaken += bytes.count
            if state.bodyTaken > limit { return .failed(error(.bodyTooLong, "the body is longer than \(limit) bytes")) }
            return .piece(bytes, hasEnded: state.body.hasEnded)
        case .end: return .piece(nil, hasEnded: true)
        case .needsMore:
            guard let connection = state.connection else { return .piece(nil, hasEnded: false) }
            state.isReading = true
            return .read(connection)
        }
    }

    private func readForBody(on connection: ClientConnection) async throws {
        var bytes: [UInt8]?
        var isCutOff = false
        do { bytes = try await connection.read(timeout: configuration.bodyTimeout) } catch {
            state.withLock { $0.isReading = false }
            if error is CancellationError { throw error }
            if let failure = state.withLock({ $0.upload?.0.error }) { throw failure }
            // Not even a body up to the end of the connection has ended then.
            isCutOff = error.peerDeparture == .cutOff
            let isLate = (error as? UVError)?.code == .timedOut
            if isLate {
                throw self.error(.bodyTimeout, "nothing of the body has come for \(configuration.bodyTimeout)")
            }
            if !isCutOff { throw error }
        }
        let isTruncated = state.withLock { [bytes, isCutOff] state in
            state.isReading = false
            if let bytes { state.parser.input.append(bytes) }
            return bytes == nil && (isCutOff || !state.body.finish())
        }
        if isTruncated {
            let error = error(.truncated, "the server ended the connection before the end of the body")
            await fail(error)
            throw error
        }
    }

    /// Reads and drops a short rest, so that the connection can be kept; closes it otherwise.
    func drop() async throws {
        do { while try await nextPiece(of: 0, limit: 65_536) != nil {} } catch is CancellationError {
            throw CancellationError()
        } catch { await close() }
    }

    // MARK: The end

    /// The answer is whole.
    private func finish() async {
        let (connection, seat, isKept, upload) = state.withLock { state in
            defer {
                state.connection = nil
                state.seat = nil
            }
            return (state.connection, state.seat, state.isKept && state.parser.input.isEmpty, state.upload)
        }
        // The next one may come only when the connection is there for it.
        defer { withExtendedLifetime(seat) {} }
        guard let connection else { return }
        if let (upload, task) = upload, !upload.isWhole {
            // A server that has answered may still want the rest.
            if upload.hasEnded || task.isCancelled { return await connection.close() }
            _ = Task(executorPreference: connection.stream.loop) {
                await task.value
                await connection.close()
            }
            return
        }
        if isKept { await pool.giveBack(connection) } else { await connection.close() }
    }

    private func fail(_ error: HTTPClientError) async {
        state.withLock { $0.failure = error }
        await close()
    }

    /// Ends it before the answer is whole.
    func close() async {
        let (connection, upload) = state.withLock { state in
            defer {
                state.connection = nil
                state.seat = nil
                state.isKept = false
            }
            return (state.connection, state.upload)
        }
        upload?.1.cancel()
        await connection?.abort()
    }
}
