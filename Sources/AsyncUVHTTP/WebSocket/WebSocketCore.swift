internal import AsyncUV

/// What the tasks of a ``WebSocket`` share.
struct WebSocketCore {
    enum End {
        /// The peer has said goodbye, or we have.
        case orderly
        case failed(WebSocketError)
    }

    /// `nil` while a task reads.
    private var decoder: WebSocketDecoder?
    /// For ``WebSocket/close(_:reason:)``, which waits until another task reads no more.
    private var readingEnds: AsyncSemaphore?
    /// Whether a close frame has left, or is leaving.
    private(set) var sentClose = false
    private(set) var end: End?
    private(set) var closeCode: WebSocketCloseCode?
    private(set) var closeReason = ""
    /// What the peer's pings have asked for, and nobody has sent yet.
    private var pongs: [[UInt8]] = []
    private var isAnswering = false
    /// Whether `close` is under way: it sees to the end of the stream itself.
    var isClosing = false
    /// Whether a goodbye was sent because the server ends: its answer is waited for, and not for long.
    var isLeaving = false
    /// How many chunks have come.
    var chunkCount = 0
    /// Whether a task waits for bytes.
    var isWaiting = false
    /// The half of a random number that is not used yet.
    private var spareKey: UInt32?

    init(_ decoder: WebSocketDecoder) { self.decoder = decoder }

    // MARK: Reading

    enum Turn {
        case decoder(WebSocketDecoder)
        case over
        /// Another task reads.
        case busy
        /// Until `close`, or the reader that it waits for, has come to the end.
        case wait(AsyncSemaphore)
    }

    mutating func takeTurn(on loop: EventLoop) -> Turn {
        if end != nil { return .over }
        if let taken = decoder {
            decoder = nil
            return .decoder(taken)
        }
        if isClosing, let readingEnds = waitForReader(on: loop) { return .wait(readingEnds) }
        return .busy
    }

    mutating func giveBack(_ decoder: WebSocketDecoder) {
        self.decoder = decoder
        readingEnds?.release()
        readingEnds = nil
    }

    /// - Returns: `nil` when nobody reads.
    mutating func waitForReader(on loop: EventLoop) -> AsyncSemaphore? {
        if decoder != nil { return nil }
        let waiter = readingEnds ?? AsyncSemaphore(permits: 0, on: loop)
        readingEnds = waiter
        return waiter
    }

    // MARK: Answering

    /// Notes a ping. Of many that wait only the newest are answered, which the protocol allows, so that a peer that does not read
    /// cannot fill the memory.
    ///
    /// - Returns: Whether somebody has to begin with the answers.
    mutating func note(ping payload: [UInt8]) -> Bool {
        if sentClose { return false }
        if pongs.count == 16 { pongs.removeFirst() }
        pongs.append(payload)
        defer { isAnswering = true }
        return !isAnswering
    }

    /// - Returns: The payload of the next answer; `nil` when there is no more.
    mutating func takePong() -> [UInt8]? {
        if sentClose { pongs = [] }
        isAnswering = !pongs.isEmpty
        return isAnswering ? pongs.removeFirst() : nil
    }

    // MARK: Ending

    /// - Returns: Whether the caller has to send the close frame.
    mutating func beginClose() -> Bool {
        defer { sentClose = true }
        return !sentClose
    }

    mutating func noteClose(_ code: WebSocketCloseCode, _ reason: String) {
        if closeCode == nil { (closeCode, closeReason) = (code, reason) }
    }

    /// The first end counts.
    mutating func finish(_ end: End) {
        if self.end == nil { self.end = end }
        sentClose = true
    }

    // MARK: Sending

    /// A key that nobody can foresee, for a frame of a client.
    mutating func nextKey() -> UInt32 {
        if let spare = spareKey {
            spareKey = nil
            return spare
        }
        var generator = SystemRandomNumberGenerator()
        let bits = generator.next()
        spareKey = UInt32(truncatingIfNeeded: bits >> 32)
        return UInt32(truncatingIfNeeded: bits)
    }
}
