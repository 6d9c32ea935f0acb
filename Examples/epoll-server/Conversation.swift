import Readiness

/// The state machine of one connection: it receives until it would block, sends all of that back, and begins again.
///
/// What the article gets wrong is right here: a send may take a part; before and after each change of direction the
/// socket is served until it would block, as edges demand; a peer that hangs up still gets the answer to its last
/// words; and who sends without end is answered before it fills the memory.
final class Conversation {
    enum State {
        case receiving
        /// So many bytes of the reply have gone.
        case sending(Int)
        case finished
    }

    let socket: Socket
    let name: String
    private(set) var state = State.receiving
    private var bytes: [UInt8] = []
    private var hasEnded = false
    private static let limit = 65_536

    init(_ socket: Socket) {
        self.socket = socket
        name = socket.remoteEndpoint.map { "\($0)" } ?? "somebody"
    }

    /// What to watch for in this state.
    var interest: Interest {
        if case .sending = state { .writable } else { .readable }
    }

    /// Goes on until the socket would block, or there is a change of direction. Watching for the other direction then
    /// tells at once if it is ready already: `modify` looks anew, so no edge gets lost.
    func advance(_ buffer: inout [UInt8]) throws {
        switch state {
        case .receiving: try receive(&buffer)
        case .sending(let sent): try send(from: sent)
        case .finished: break
        }
    }

    private func receive(_ buffer: inout [UInt8]) throws {
        while bytes.count < Self.limit && !hasEnded {
            switch try socket.receive(into: &buffer) {
            case .bytes(let count): bytes += buffer[0..<count]
            case .end: hasEnded = true
            case .wouldBlock:
                if !bytes.isEmpty { state = .sending(0) }
                return
            }
        }
        state = bytes.isEmpty ? .finished : .sending(0)
    }

    private func send(from start: Int) throws {
        let bytes = bytes
        var sent = start
        while sent < bytes.count {
            guard case .bytes(let count) = try socket.send(bytes.span.extracting(sent..<bytes.count)) else {
                state = .sending(sent)
                return
            }
            sent += count
        }
        self.bytes = []
        state = hasEnded ? .finished : .receiving
    }
}
