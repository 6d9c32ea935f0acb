internal import CLibuv

/// The state of ``StreamHandle/receive(upTo:onDone:)``: one closure that waits, or one chunk that nobody asked for yet.
final class Receiver {
    var onDone: ((StreamHandle, Result<[UInt8]?, UVError>) -> Void)?
    var isReading = false
    private(set) var limit = 65_536
    private var ahead: [UInt8] = []
    /// How much of it is taken.
    private var taken = 0
    private var hasEnded = false
    private var failure: UVError?

    /// Whether somebody waits, or bytes do.
    var isInUse: Bool { onDone != nil || !ahead.isEmpty }

    func take(
        upTo limit: Int, _ onDone: @escaping (StreamHandle, Result<[UInt8]?, UVError>) -> Void
    ) throws(UVError) -> StreamHandle.ReceiveOutcome {
        guard limit > 0 else { throw UVError(.invalidArgument, in: "receive", of: "a stream up to \(limit) bytes") }
        if self.onDone != nil { throw UVError(.alreadyInProcess, in: "receive", of: "a stream with a receive waiting") }
        if !ahead.isEmpty { return .received(takeAhead(limit)) }
        if let failure = failure.take() { throw failure }
        if hasEnded { return .ended }
        self.limit = limit
        self.onDone = onDone
        return .waiting
    }

    func arrived(_ bytes: Span<UInt8>, _ stream: StreamHandle) {
        let chunk = [UInt8](copying: bytes)
        if let call = onDone.take() {
            call(stream, .success(chunk))
        } else {
            // Nobody asked in the time of a whole turn: this chunk waits, the rest waits in the system.
            ahead = chunk
            stream.stopReadingAhead()
        }
    }

    func ended(_ error: UVError?, _ stream: StreamHandle) {
        isReading = false
        hasEnded = true
        if let call = onDone.take() {
            call(stream, error.map { .failure($0) } ?? .success(nil))
        } else {
            failure = error
        }
    }

    private func takeAhead(_ limit: Int) -> [UInt8] {
        if taken == 0, ahead.count <= limit {
            defer { ahead = [] }
            return ahead
        }
        let chunk = ahead[taken...].prefix(limit)
        taken = chunk.endIndex
        if taken == ahead.count {
            ahead = []
            taken = 0
        }
        return Array(chunk)
    }
}
