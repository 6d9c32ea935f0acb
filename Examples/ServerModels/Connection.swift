internal import Readiness

/// One connection of a server that never blocks: what the peer was not yet ready to take, and what to wait for next.
///
/// It reads only when everything is sent. So a peer that does not read is not read from either: its own sending
/// stops, and at most one chunk waits here.
final class Connection {
    enum Next {
        /// Wait until it is readable.
        case read
        /// Wait until it is writable.
        case write
        /// More may be there already: advance again. Who waits for a level may also just wait for `read`.
        case more
        /// The peer has finished and has got its replies.
        case end
    }

    let socket: Socket

    /// What it waits for: who serves it keeps the poller in step.
    var interest: Interest = .readable

    private var pending: [UInt8] = []
    private var sent = 0  // of `pending`

    init(_ socket: Socket) { self.socket = socket }

    /// Does what can be done without waiting: sends what is left, receives once, sends the reply.
    ///
    /// - Parameter buffer: Scratch memory, which all connections of a thread share.
    func advance(_ buffer: inout [UInt8], _ handler: Handler) throws(SystemError) -> Next {
        if !pending.isEmpty {
            let pending = self.pending
            guard case .bytes(let count) = try socket.send(pending.span.extracting(sent..<pending.count)) else {
                return .write
            }
            sent += count
            guard sent == pending.count else { return .write }
            (self.pending, sent) = ([], 0)
        }
        switch try socket.receive(into: &buffer) {
        case .wouldBlock: return .read
        case .end: return .end
        case .bytes(let count):
            handler(&buffer, count)
            var done = 0
            if case .bytes(let count) = try socket.send(buffer.span.extracting(0..<count)) { done = count }
            guard done < count else { return .more }
            pending = Array(buffer[done..<count])
            return .write
        }
    }

    /// How many bytes wait for the peer.
    var pendingCount: Int { pending.count - sent }
}
