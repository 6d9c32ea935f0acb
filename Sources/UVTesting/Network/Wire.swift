internal import AsyncUV
internal import DequeModule

/// One direction of a connection: what was written and has not been read. On the loop's thread only.
final class Wire {
    private enum Piece {
        case bytes([UInt8])
        case end
        case reset

        var count: Int { if case .bytes(let bytes) = self { bytes.count } else { 0 } }
    }

    /// A write that has not left as a whole, or the end behind all writes.
    private final class Outgoing {
        let bytes: [UInt8]
        let isEnd: Bool
        var offset = 0
        private(set) var wait: TwinWait?

        init(_ bytes: [UInt8], isEnd: Bool, _ wait: TwinWait) {
            self.bytes = bytes
            self.isEnd = isEnd
            self.wait = wait
        }

        func finish(throwing error: UVError? = nil) {
            wait?.finish(throwing: error)
            wait = nil
        }
    }

    /// The most bytes that travel as one.
    private static let most = 16_384
    /// How long a closed side takes bytes without an answer, as the close of a real connection does.
    private static let linger = Duration.seconds(2)

    private let network: NetworkCore
    private let conditions: LinkConditions
    private let from: SocketAddress
    private let to: SocketAddress
    let name: String
    /// The other direction.
    weak var back: Wire?

    init(_ network: NetworkCore, _ conditions: LinkConditions, from: SocketAddress, to: SocketAddress) {
        self.network = network
        self.conditions = conditions
        self.from = from
        self.to = to
        name = "\(from) to \(to)"
    }

    // MARK: The near side, which writes

    private var writes: Deque<Outgoing> = []
    private var isPumping = false
    private var isPumpDue = false
    private(set) var isFinished = false
    /// Why nothing can be written any more.
    private var refusal: UVError.Code?
    /// Whether nothing leaves any more, without a word.
    private var isMute = false

    func write(_ bytes: [UInt8], _ wait: TwinWait) throws(UVError) {
        try checkWritable("write")
        if isFinished { throw UVError(.socketShutdown, in: "write", to: name) }
        add(Outgoing(bytes, isEnd: false, wait))
    }

    func finish(_ wait: TwinWait) throws(UVError) {
        try checkWritable("finishWriting")
        if isFinished { throw UVError(.socketNotConnected, in: "finishWriting", of: name) }
        isFinished = true
        add(Outgoing([], isEnd: true, wait))
    }

    private func checkWritable(_ operation: String) throws(UVError) {
        if let refusal { throw UVError(refusal, in: operation, to: name) }
    }

    private func add(_ write: Outgoing) {
        writes.append(write)
        write.wait?.onCancel = { [weak self] in self?.cancel(write) }
        pump()
    }

    /// A write that has begun leaves as a whole, and so does the end.
    private func cancel(_ write: Outgoing) {
        if write.offset == 0, !write.isEnd { writes.removeAll { $0 === write } }
    }

    /// Lets leave what there is room for.
    private func pump() {
        if isPumpDue || isPumping { return }
        isPumping = true
        defer { isPumping = false }
        while let write = writes.first {
            let left = write.bytes.count - write.offset
            if left == 0 {
                writes.removeFirst()
                if write.isEnd { send(.end) }
                write.finish()
                continue
            }
            let room = conditions.buffer - travelling - arrivedCount
            if room <= 0 { return }
            var count = min(left, room, Self.most)
            if conditions.hasShortWrites { count = Int.random(in: 1...count, using: &network.random) }
            send(.bytes(Array(write.bytes[write.offset..<write.offset + count])))
            write.offset += count
            if conditions.hasShortWrites, write.offset < write.bytes.count { return pumpSoon() }
        }
    }

    /// A microsecond later, so that the reader may get what has left alone.
    private func pumpSoon() {
        isPumpDue = true
        network.call(at: network.now + .microseconds(1)) { [self] in
            isPumpDue = false
            pump()
        }
    }

    /// Ends the near side: what has not left is dropped.
    func closeNear(sendingEnd: Bool, _ code: UVError.Code = .badFileDescriptor) {
        dropWrites(with: .canceled)
        if sendingEnd, !isFinished, refusal == nil { send(.end) }
        isFinished = true
        refusal = code
    }

    private func dropWrites(with code: UVError.Code) {
        let dropped = writes
        writes = []
        for write in dropped { write.finish(throwing: UVError(code, in: "write", to: name)) }
    }

    /// Breaks the connection for the far side.
    func sendReset() { send(.reset) }

    /// Nothing leaves any more, and nobody is told.
    func mute() { isMute = true }

    // MARK: The way

    /// Bytes that have left and have not come.
    private var travelling = 0
    /// Pieces that have left and have not come.
    private var pieces = 0
    private var freeAt = LoopClock.Instant.start
    private var lastArrival = LoopClock.Instant.start
    private var held: Deque<Piece> = []

    private func send(_ piece: Piece) {
        if isMute { return }
        var piece = piece
        travelling += piece.count
        if piece.count > 0, network.random.happens(conditions.resets) {
            network.test.trace.note("connection breaks", name)
            travelling -= piece.count
            piece = .reset
            back?.sendReset()
        }
        let now = network.now
        freeAt = max(freeAt, now) + conditions.time(for: piece.count)
        lastArrival = max(lastArrival, freeAt + conditions.travelTime(&network.random))
        if pieces == 0, lastArrival <= now { return deliver(piece) }
        pieces += 1
        network.call(at: lastArrival) { [self] in
            pieces -= 1
            deliver(piece)
        }
    }

    private func deliver(_ piece: Piece) {
        if held.isEmpty, !network.isCut(from, to) { return arrive(piece) }
        if held.isEmpty { network.hold(self) }
        held.append(piece)
    }

    /// Delivers what a partition has kept.
    func deliverHeld() {
        let pieces = held
        held = []
        for piece in pieces { deliver(piece) }
    }

    // MARK: The far side, which reads

    private var chunks: Deque<[UInt8]> = []
    private var arrivedCount = 0
    private var hasEnded = false
    private var failure: UVError.Code?
    private var reader: TwinWait?
    private var closedAt: LoopClock.Instant?
    private var isDeaf = false

    private func arrive(_ piece: Piece) {
        if isDeaf { return }
        travelling -= piece.count
        if let closedAt {
            if piece.count > 0, network.now >= closedAt + Self.linger { back?.sendReset() }
        } else {
            take(piece)
        }
        pump()
    }

    private func take(_ piece: Piece) {
        if failure != nil { return }
        switch piece {
        case .bytes(let bytes):
            network.test.trace.note("bytes", name, bytes.count)
            chunks.append(bytes)
            arrivedCount += bytes.count
        case .end:
            network.test.trace.note("end", name)
            hasEnded = true
        case .reset:
            network.test.trace.note("reset", name)
            failure = .connectionReset
            back?.refuse()
        }
        wakeReader()
    }

    /// The connection is broken: nothing can be written any more.
    private func refuse() {
        if refusal != nil { return }
        dropWrites(with: .connectionReset)
        refusal = .brokenPipe
    }

    private func wakeReader() {
        let reader = reader.take()
        reader?.finish()
    }

    var canRead: Bool { arrivedCount > 0 || hasEnded || failure != nil }

    /// Ends a wait when there is something to read. One reader at a time.
    func awaitBytes(_ wait: TwinWait) throws(UVError) {
        if reader != nil { throw UVError(.alreadyInProcess, in: "read", from: name) }
        if closedAt != nil { throw UVError(.badFileDescriptor, in: "read", from: name) }
        if canRead { return wait.finish() }
        reader = wait
        wait.onCancel = { [weak self] in self?.reader = nil }
    }

    /// - Returns: What came; `nil` for nothing yet, an empty array for the end.
    func read(upTo limit: Int) throws(UVError) -> [UInt8]? {
        if closedAt != nil { throw UVError(.badFileDescriptor, in: "read", from: name) }
        if arrivedCount == 0 {
            if let failure { throw UVError(failure, in: "read", from: name) }
            return hasEnded ? [] : nil
        }
        var count = min(limit, arrivedCount)
        if conditions.hasShortReads { count = Int.random(in: 1...count, using: &network.random) }
        var bytes: [UInt8] = []
        while bytes.count < count, let chunk = chunks.popFirst() {
            let part = chunk.prefix(count - bytes.count)
            bytes += part
            if part.count < chunk.count { chunks.prepend(Array(chunk.dropFirst(part.count))) }
        }
        arrivedCount -= bytes.count
        pump()
        return bytes
    }

    /// Gives bytes back, which count as read.
    func unread(_ bytes: [UInt8]) {
        if closedAt != nil || bytes.isEmpty { return }
        chunks.prepend(bytes)
        arrivedCount += bytes.count
        wakeReader()
    }

    /// Ends the far side: what comes is dropped.
    ///
    /// - Parameter isAnswered: Whether the other side hears that its bytes have come, so that it has room for more.
    func closeFar(isAnswered: Bool = true) {
        closedAt = network.now
        isDeaf = !isAnswered
        let reader = reader.take()
        reader?.finish(throwing: UVError(.canceled, in: "read", from: name))
        chunks = []
        arrivedCount = 0
        if isAnswered { pump() }
    }
}

extension LoopClock.Instant {
    /// Before everything that happens in a run.
    fileprivate static var start: Self { .now - TwinClock.start }
}
