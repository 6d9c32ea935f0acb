internal import AsyncUV
internal import AsyncUVHTTP
internal import HTTPTypes

/// What a connection knows: its session and streams. Under the lock of the connection, also while nghttp2 calls back.
final class ConnectionCore: SessionOwner {
    private let limits: HTTP2Limits
    private let http: HTTPLimits
    private var session: Session?
    var streams: [Int32: StreamState] = [:]
    /// Requests whose heads are whole and whose handlers have not been called.
    private var fresh: [Int32] = []
    /// How many handlers run.
    private(set) var running = 0
    private var output: [UInt8] = []
    /// The client sends nothing more.
    private(set) var inputHasEnded = false
    /// Nothing can be received or sent any more.
    private(set) var isLost = false
    /// Whether the client has sent what is no HTTP/2, or too much.
    private(set) var isRefused = false
    private var resetsLeft: Int
    private var controlsLeft: Int
    private var controlsCounted = LoopClock.Instant.now

    private let writer: AsyncSemaphore
    private var writerSleeps = false
    private var reader: AsyncSemaphore?
    /// Whom to wake when the lock is free.
    private var woken: [AsyncSemaphore] = []

    /// Up to how many bytes are made ahead of those that are being written.
    private static let mostOutput = 65_536

    init(_ limits: HTTP2Limits, _ http: HTTPLimits, on loop: EventLoop) {
        writer = AsyncSemaphore(permits: 0, on: loop)
        self.limits = limits
        self.http = http
        resetsLeft = limits.resets
        controlsLeft = limits.controlFrames
        session = Session(self, limits, headSize: http.head)
    }

    private var nghttp2: Session {
        guard let session else { fatalError("a connection has no session") }
        return session
    }

    func takeWoken() -> [AsyncSemaphore] {
        if woken.isEmpty { return [] }
        defer { woken = [] }
        return woken
    }

    private func wake(_ semaphore: inout AsyncSemaphore?) {
        if let waiter = semaphore.take() { woken.append(waiter) }
    }

    private func wakeAll(_ stream: StreamState) { woken += stream.takeWaiters() }

    /// The writer has something to do.
    func poke() {
        if !writerSleeps { return }
        writerSleeps = false
        woken.append(writer)
    }

    // MARK: Reading

    /// - Returns: Requests whose handlers are to be called.
    func receive(_ bytes: [UInt8]) -> [Int32] {
        if nghttp2.receive(bytes) != nil {
            isRefused = true
            lose()
            return []
        }
        pump()
        poke()
        var begun: [Int32] = []
        for id in fresh {
            guard let stream = streams[id] else { continue }
            stream.isRunning = true
            begun.append(id)
        }
        fresh.removeAll()
        return begun
    }

    /// While the connection can be closed for another one.
    var offer: ServeSeat.Offer?

    /// Whether nothing is lost when the connection ends.
    var isIdle: Bool { running == 0 && streams.isEmpty && output.isEmpty && frameUnderWay == 0 }

    var frameUnderWay: UInt64 { nghttp2.frameUnderWay }

    /// The reader waits until the client takes what there is for it; otherwise it could make us keep ever more.
    func room(on loop: EventLoop) -> AsyncSemaphore? {
        if output.count < Self.mostOutput || isLost { return nil }
        let semaphore = AsyncSemaphore(permits: 0, on: loop)
        reader = semaphore
        return semaphore
    }

    func endInput() {
        inputHasEnded = true
        for stream in streams.values { wakeAll(stream) }
        poke()
    }

    /// The connection is of no use any more.
    func lose() {
        isLost = true
        inputHasEnded = true
        for stream in streams.values {
            stream.isReset = true
            wakeAll(stream)
        }
        wake(&reader)
        poke()
    }

    func goAway() {
        nghttp2.goAway()
        pump()
        poke()
    }

    func terminate() {
        nghttp2.terminate(.enhanceYourCalm)
        pump()
        poke()
    }

    private func refuse() {
        isRefused = true
        nghttp2.terminate(.enhanceYourCalm)
    }

    // MARK: Writing

    enum Write {
        case bytes([UInt8])
        case wait(AsyncSemaphore)
        case over
    }

    func nextWrite() -> Write {
        pump()
        if !output.isEmpty {
            let bytes = output
            output = []
            // While these are written, the next ones are made.
            pump()
            wake(&reader)
            return .bytes(bytes)
        }
        if isOver { return .over }
        writerSleeps = true
        return .wait(writer)
    }

    private var isOver: Bool {
        if isLost { return true }
        if inputHasEnded, running == 0 { return true }
        // A session that has been terminated forgets its streams, of which some may have handlers.
        if nghttp2.wantsInput || nghttp2.wantsOutput { return false }
        return running == 0 || streams.values.contains { !$0.isClosed }
    }

    func pump() {
        if isLost { return }
        while output.count < Self.mostOutput, nghttp2.appendOutput(to: &output) {}
    }

    // MARK: What nghttp2 tells

    func headBegins(_ id: Int32, isFirst: Bool) {
        if isFirst {
            streams[id] = StreamState()
        } else if let stream = streams[id] {
            stream.isBehindBody = true
            stream.headSize = 0
            stream.fieldCount = 0
        }
    }

    func takeField(_ id: Int32, _ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        guard let stream = streams[id], !name.isEmpty else { return true }
        stream.take(name, value, http)
        // The end of what is too long is waited for, so that it can be answered; not for ever.
        if stream.headSize - 262_144 <= http.head { return true }
        refuse()
        return false
    }

    func headEnds(_ id: Int32, endsStream: Bool) {
        guard let stream = streams[id] else { return }
        if endsStream { endInput(of: stream) }
        if stream.isBehindBody { return }
        controlsLeft += 1
        stream.finishHead()
        // nghttp2 counts open streams, but a handler may run longer than its stream.
        if running >= limits.concurrentStreams {
            streams[id] = nil
            nghttp2.reset(id, .refusedStream)
            // It is not the client's fault when handlers go on after their answers.
            if streams.values.contains(where: { $0.isRunning && $0.isReset }) { countReset() }
            return
        }
        running += 1
        fresh.append(id)
    }

    private func endInput(of stream: StreamState) {
        stream.inputHasEnded = true
        wake(&stream.reader)
    }

    func takeData(_ id: Int32, _ bytes: Span<UInt8>) {
        // What a handler has left behind is thrown away.
        guard let stream = streams[id], stream.isRunning || fresh.contains(id), !stream.isClosed else { return }
        stream.input.append(copying: bytes)
        wake(&stream.reader)
    }

    func dataEnds(_ id: Int32) { if let stream = streams[id] { endInput(of: stream) } }

    func reset(_ id: Int32) {
        guard let stream = streams[id] else { return }
        stream.isReset = true
        if stream.answer == .none { countReset() }
    }

    private func countReset() {
        resetsLeft -= 1
        if resetsLeft < 0 { refuse() }
    }

    func closed(_ id: Int32, _ error: UInt32) {
        guard let stream = streams[id] else { return }
        stream.isClosed = true
        if error != 0, !stream.isReset {
            // A client may make us reset what it has asked for, by frames that are wrong (CVE-2025-8671).
            if stream.answer == .none { countReset() }
            stream.isReset = true
        }
        wakeAll(stream)
        if stream.isRunning { return }
        // Its handler has ended, or will not be called.
        if let index = fresh.firstIndex(of: id) {
            fresh.remove(at: index)
            running -= 1
        }
        streams[id] = nil
    }

    func takeControl() {
        controlsLeft -= 1
        if controlsLeft >= 0 { return }
        let now = LoopClock.Instant.now
        let more = Int(min((now - controlsCounted) / .milliseconds(10), 1_000_000))
        controlsCounted = now
        controlsLeft = min(limits.controlFrames, more) - 1
        if controlsLeft < 0 { refuse() }
    }

    func body(_ id: Int32, _ room: Int) -> (bytes: ArraySlice<UInt8>, more: More) {
        guard let stream = streams[id] else { return ([], .end) }
        let bytes = stream.output[stream.outputTaken...].prefix(room)
        stream.outputTaken += bytes.count
        if !stream.outputIsEmpty { return (bytes, .more) }
        stream.output = []
        stream.outputTaken = 0
        wake(&stream.writer)
        if stream.outputHasEnded {
            stream.isSent = true
            guard let trailers = stream.outputTrailers else { return (bytes, .end) }
            nghttp2.submitTrailers(id, trailers)
            return (bytes, .endWithFields)
        }
        return (bytes, bytes.isEmpty ? .nothingYet : .more)
    }
}

// MARK: One stream

extension ConnectionCore {
    /// A stream whose handler runs.
    func stream(_ id: Int32) throws -> StreamState {
        guard let stream = streams[id], stream.isRunning else { throw HTTPServerError.isOver }
        return stream
    }

    func submitHead(_ id: Int32, _ fields: FieldList, hasBody: Bool) {
        resetsLeft = min(resetsLeft + 1, limits.resets)
        nghttp2.submitHead(id, fields, hasBody: hasBody)
        pump()
        poke()
    }

    func submitInterim(_ id: Int32, _ fields: FieldList) {
        nghttp2.submitInterim(id, fields)
        pump()
        poke()
    }

    /// A body has more bytes, or its end.
    func resume(_ id: Int32) {
        nghttp2.resume(id)
        pump()
        poke()
    }

    /// The handler has taken so many bytes.
    func consume(_ id: Int32, _ count: Int) {
        nghttp2.consume(id, count)
        pump()
        poke()
    }

    func reset(_ id: Int32, _ error: HTTP2ErrorCode) {
        guard let stream = streams[id], !stream.isClosed else { return }
        nghttp2.reset(id, error)
        pump()
        poke()
    }

    /// The handler has ended.
    func end(_ id: Int32) {
        guard let stream = streams[id], stream.isRunning else { return }
        running -= 1
        stream.isRunning = false
        stream.input = []
        if stream.isClosed || isLost {
            streams[id] = nil
        } else if stream.answer != .ended || !stream.isSent {
            reset(id, .internalError)
        } else if !stream.inputHasEnded {
            // The client need not send the rest.
            reset(id, .none)
        }
        pump()
        poke()
    }
}
