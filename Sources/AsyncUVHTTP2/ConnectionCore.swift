internal import AsyncUV
internal import AsyncUVHTTP
internal import HTTPTypes

/// What a connection knows: its session and streams. Under the lock of the connection, also while nghttp2 calls back.
final class ConnectionCore: SessionOwner {
    let limits: HTTP2Limits
    let http: HTTPLimits
    private var session: Session?
    var streams: [Int32: StreamState] = [:]
    /// Requests whose heads are whole and whose handlers have not been called.
    var fresh: [Int32] = []
    /// How many handlers run.
    var running = 0
    private var output: [UInt8] = []
    /// The client sends nothing more.
    private(set) var inputHasEnded = false
    /// Nothing can be received or sent any more.
    private(set) var isLost = false
    /// Whether the client has sent what is no HTTP/2, or too much.
    private(set) var isRefused = false
    var resetsLeft: Int
    var controlsLeft: Int
    var controlsCounted = LoopClock.Instant.now

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

    var nghttp2: Session {
        guard let session else { fatalError("a connection has no session") }
        return session
    }

    func takeWoken() -> [AsyncSemaphore] {
        if woken.isEmpty { return [] }
        defer { woken = [] }
        return woken
    }

    func wake(_ semaphore: inout AsyncSemaphore?) {
        if let waiter = semaphore.take() { woken.append(waiter) }
    }

    func wakeAll(_ stream: StreamState) { woken += stream.takeWaiters() }

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

    func refuse() {
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
}
