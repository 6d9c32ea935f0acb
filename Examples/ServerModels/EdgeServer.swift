public import Readiness

/// One thread and edge-triggered epoll: each change is told once.
///
/// Connections are registered once, for everything. Each is served until it would block, but not longer than
/// its share: a fast sender never would block, and the others would starve. What is unfinished goes on in the next
/// turn; the kernel will not remind us.
public struct EdgeServer: Server {
    let options: ServerOptions

    /// How many chunks one connection may take in a turn.
    static let share = 16

    public init(_ options: ServerOptions = ServerOptions()) { self.options = options }

    public func run(on listener: Socket, until stop: Stop) throws(SystemError) {
        try listener.setBlocking(false)
        var rounds = try Rounds(listener, options)
        let waker = rounds.waker
        let interruption = stop.onRequest { waker.wake() }
        defer { interruption.cancel() }
        while !stop.isRequested { try rounds.turn() }
    }
}

private struct Rounds: ~Copyable {
    private let listener: Socket
    private let options: ServerOptions
    private var poller: EpollPoller
    private var connections: [CInt: Connection] = [:]
    private var buffer: [UInt8]
    private var events: [ReadyEvent] = []
    private var unfinished: Set<CInt> = []
    private var isPaused = false

    init(_ listener: Socket, _ options: ServerOptions) throws(SystemError) {
        var poller = try EpollPoller(trigger: .edge)
        try poller.add(listener.descriptor, .readable)
        self.poller = poller
        self.listener = listener
        self.options = options
        buffer = [UInt8](repeating: 0, count: options.chunk)
    }

    var waker: Waker { poller.waker }

    mutating func turn() throws(SystemError) {
        let timeout: Duration? = !unfinished.isEmpty ? .zero : isPaused ? AcceptPause.length : nil
        try poller.wait(upTo: timeout, into: &events)
        var ready = unfinished
        unfinished = []
        for event in events { ready.insert(event.descriptor) }
        if isPaused { ready.insert(listener.descriptor) }
        for descriptor in ready {
            if descriptor == listener.descriptor {
                try accept()
            } else if let connection = connections[descriptor] {
                try serve(connection)
            }
        }
    }

    private mutating func accept() throws(SystemError) {
        isPaused = false
        do {
            while case .connection(let socket) = try listener.accept(blocking: false) {
                try poller.add(socket.descriptor, [.readable, .writable])
                connections[socket.descriptor] = Connection(socket)
            }
        } catch {
            guard error.isShortage else { throw error }
            options.onProblem(error)
            isPaused = true
        }
    }

    private mutating func serve(_ connection: Connection) throws(SystemError) {
        do {
            for _ in 0..<EdgeServer.share {
                switch try connection.advance(&buffer, options.handler) {
                case .more: continue
                case .read, .write: return
                case .end: return try drop(connection)
                }
            }
            unfinished.insert(connection.socket.descriptor)
        } catch {
            options.onProblem(error)
            try drop(connection)
        }
    }

    private mutating func drop(_ connection: Connection) throws(SystemError) {
        try poller.remove(connection.socket.descriptor)
        connections[connection.socket.descriptor] = nil
    }
}
