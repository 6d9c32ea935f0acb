internal import AsyncUV
internal import AsyncUVHTTP
internal import HTTPTypes
internal import Synchronization
internal import UV

/// A connection of HTTP/2: one task reads, and calls a handler for each request; one writes what nghttp2 has made.
///
/// Handlers may be on any thread, so what is known of the streams is behind a lock; nothing waits while it is held.
final class HTTP2Connection: Sendable {
    let server: HTTPServer
    let stream: any ByteStream
    private let served: (any ServedStream)?
    /// The connection's place in a server that has a limit of them.
    private let seat: ServeSeat?
    private let onError: @Sendable (any Error, SocketAddress?) -> Void
    private let core: Mutex<ConnectionCore>

    init(
        _ server: HTTP2Server, _ stream: any ByteStream,
        _ onError: @escaping @Sendable (any Error, SocketAddress?) -> Void
    ) {
        self.server = server.http
        self.stream = stream
        served = stream as? any ServedStream
        seat = (stream as? any StreamConnection)?.stream.seat
        self.onError = onError
        core = Mutex(ConnectionCore(server.limits, server.http.limits, on: stream.loop))
    }

    var loop: EventLoop { stream.loop }
    var peerAddress: SocketAddress? { served?.peerAddress }

    func locked<Value: Sendable>(_ body: (ConnectionCore) throws -> Value) rethrows -> Value {
        var woken: [AsyncSemaphore] = []
        defer { for semaphore in woken { semaphore.release() } }
        return try core.withLock { core in
            defer { woken = core.takeWoken() }
            return try body(core)
        }
    }

    /// - Parameter bytes: What has been read already.
    func serve(_ bytes: [UInt8], _ handler: @escaping HTTPServer.Handler) async throws {
        defer { if locked({ $0.isRefused }) { server.noteOtherRefusal() } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: loop) { try await self.readAll(bytes, handler) }
            do { try await writeAll() } catch {
                let isNobodys = loseClient(by: error)
                group.cancelAll()
                try? await group.waitForAll()
                if isNobodys || isEveryday(error) { return }
                throw error
            }
            // What a handler throws now is about a client that has gone.
            locked { $0.endInput() }
            // The reader may still wait for what does not matter any more.
            group.cancelAll()
            do { try await group.waitForAll() } catch {
                try Task.checkCancellation()
                if !(error is CancellationError) { throw error }
            }
        }
    }

    /// The connection is of no use any more.
    ///
    /// - Returns: Whether a client has gone for which nothing was under way.
    private func loseClient(by error: any Error) -> Bool {
        let isIdle = locked { core in
            defer { core.lose() }
            return core.running == 0
        }
        return isIdle && error.peerDeparture != nil
    }

    /// Whether a client that was too slow was cut off, which has been counted.
    private func isEveryday(_ error: any Error) -> Bool { (error as? UVError)?.code == .timedOut }

    // MARK: Writing

    private func writeAll() async throws {
        while true {
            switch locked({ $0.nextWrite() }) {
            case .bytes(let bytes):
                do { try await write(bytes) } catch let error as UVError where error.code == .timedOut {
                    server.noteOtherTimeout()
                    await served?.abort()
                    throw error
                }
            case .wait(let semaphore):
                await offerSeat()
                try await semaphore.acquire()
            case .over: return
            }
        }
    }

    private func write(_ bytes: [UInt8]) async throws {
        let time = server.timeAllowed(for: bytes.count)
        if let served { return try await served.write(contentsOf: [bytes], timeout: time) }
        try await withTimeout(time, on: loop) { try await stream.write(bytes) }
    }

    // MARK: The connection's seat

    /// Lets the connection be closed for another one if nothing is under way. The writer is woken by whatever changes that.
    private func offerSeat() async {
        guard let seat, locked({ $0.isIdle && $0.offer == nil }) else { return }
        let offer = seat.offer()
        locked { $0.offer = offer }
        if case .taken = offer { await stream.close() }
    }

    /// - Returns: Whether the connection can stay.
    private func keepSeat() -> Bool {
        guard let seat, let offer = locked({ $0.offer.take() }) else { return true }
        if case .taken = offer { return false }
        return seat.keep(offer)
    }

    // MARK: Reading

    private func readAll(_ bytes: [UInt8], _ handler: @escaping HTTPServer.Handler) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            do {
                var next: [UInt8]? = bytes
                var place = Place()
                while let bytes = next {
                    // The writer may have offered it before the first bytes were looked at.
                    _ = keepSeat()
                    for id in locked({ $0.receive(bytes) }) {
                        server.noteOtherRequest()
                        group.addTask(executorPreference: loop) { await self.answer(id, handler) }
                    }
                    next = try await nextBytes(&place)
                }
                locked { $0.endInput() }
            } catch { if !loseClient(by: error) { throw error } }
        }
    }

    /// How far the reader has come.
    private struct Place {
        var hasGoneAway = false
        /// The number of the frame that has begun; 0 for none.
        var frame: UInt64 = 0
        /// When the frame that has begun has to be whole.
        var deadline: LoopClock.Instant?
    }

    /// How many bytes come at a time, as many as the longest frame.
    private static let readSize = 16_393

    /// - Returns: Nothing when the client sends no more, or need not.
    private func nextBytes(_ place: inout Place) async throws -> [UInt8]? {
        let frame = locked { $0.frameUnderWay }
        if frame != place.frame {
            place.frame = frame
            place.deadline = frame == 0 ? nil : .now + server.timeAllowed(for: Self.readSize)
        }
        do {
            let bytes = try await waitForBytes(&place)
            _ = keepSeat()
            return bytes
        } catch {
            // Closed to make room.
            guard !keepSeat(), error is UVError else { throw error }
            server.noteOtherDisplaced()
            locked { $0.lose() }
            return nil
        }
    }

    private func waitForBytes(_ place: inout Place) async throws -> [UInt8]? {
        while true {
            if let room = locked({ $0.room(on: loop) }) { try await room.acquire() }
            do {
                if let bytes = try await read(place) { return bytes }
                guard !place.hasGoneAway, try await served?.isDraining == true else { return nil }
            } catch let error as UVError where error.code == .timedOut {
                if let deadline = place.deadline, deadline <= .now {
                    server.noteOtherTimeout()
                    locked { $0.terminate() }
                    return nil
                }
                // Handlers take their time, and the client cannot help it.
                if locked({ $0.running > 0 || !$0.streams.isEmpty }) { continue }
                server.noteOtherTimeout()
                locked { $0.goAway() }
                return nil
            }
            place.hasGoneAway = true
            locked { $0.goAway() }
        }
    }

    private func read(_ place: Place) async throws -> [UInt8]? {
        try await stream.read(
            upTo: Self.readSize, by: place.deadline, as: served, untilDraining: !place.hasGoneAway)
    }

    // MARK: Answering

    private func answer(_ id: Int32, _ handler: HTTPServer.Handler) async {
        let exchange = HTTP2Exchange(self, id)
        let request = locked { core -> (head: HTTPRequest?, length: Int?, refusal: HTTPRefusal?)? in
            guard let stream = core.streams[id], !stream.isReset else { return nil }
            return (stream.request, stream.length, stream.refusal)
        }
        // The client has given it up meanwhile.
        guard let (head, length, refusal) = request else { return locked { $0.end(id) } }
        var failure: (any Error)?
        if let refusal {
            server.noteOtherRefusal()
            failure = refusal
        } else if let head {
            let (request, response) = handlerArguments(
                head, length: length, limit: server.limits.body, exchange)
            do { try await handler(request, response) } catch { failure = error }
        } else {
            server.noteOtherRefusal()
            failure = HTTPRefusal(.badRequest, "the method is no word")
        }
        await exchange.finish(failure)
        locked { $0.end(id) }
    }

    func report(_ error: any Error) { onError(error, peerAddress) }
}

extension ByteStream {
    /// Reads up to a time. A stream that knows of no times has its read cancelled then.
    ///
    /// - Parameter served: The stream, if it is of that kind.
    func read(
        upTo limit: Int, by deadline: LoopClock.Instant?, as served: (any ServedStream)?, untilDraining: Bool
    ) async throws -> [UInt8]? {
        let time = deadline.map { $0 - .now }
        if let served { return try await served.read(upTo: limit, timeout: time, untilDraining: untilDraining) }
        guard let time else { return try await read(upTo: limit) }
        return try await withTimeout(time, on: loop) { try await read(upTo: limit) }
    }
}
