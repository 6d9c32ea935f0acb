public import Readiness

/// One thread that waits for all connections at once with a level-triggered poller: select, poll or epoll.
///
/// Each ready connection gets one read a turn. What it leaves the poller reports again, so nobody starves.
public struct PollerServer<Backend: Poller & ~Copyable>: Server {
    let options: ServerOptions

    public init(_ options: ServerOptions = ServerOptions()) { self.options = options }

    public func run(on listener: Socket, until stop: Stop) throws(SystemError) {
        try listener.setBlocking(false)
        var rounds = try Rounds<Backend>(listener, options)
        let waker = rounds.waker
        let interruption = stop.onRequest { waker.wake() }
        defer { interruption.cancel() }
        while !stop.isRequested { try rounds.turn() }
    }
}

private struct Rounds<Backend: Poller & ~Copyable>: ~Copyable {
    private let listener: Socket
    private let options: ServerOptions
    private var poller: Backend
    private var connections: [CInt: Connection] = [:]
    private var buffer: [UInt8]
    private var events: [ReadyEvent] = []
    private var isPaused = false

    init(_ listener: Socket, _ options: ServerOptions) throws(SystemError) {
        var poller = try Backend()
        try poller.add(listener.descriptor, .readable)
        self.poller = poller
        self.listener = listener
        self.options = options
        buffer = [UInt8](repeating: 0, count: options.chunk)
    }

    var waker: Waker { poller.waker }

    mutating func turn() throws(SystemError) {
        try poller.wait(upTo: isPaused ? AcceptPause.length : nil, into: &events)
        if isPaused {
            isPaused = false
            try poller.modify(listener.descriptor, .readable)
        }
        for event in events {
            if event.descriptor == listener.descriptor {
                try accept()
            } else if let connection = connections[event.descriptor] {
                try serve(connection)
            }
        }
    }

    private mutating func accept() throws(SystemError) {
        do {
            while case .connection(let socket) = try listener.accept(blocking: false) { add(Connection(socket)) }
        } catch {
            guard error.isShortage else { throw error }
            options.onProblem(error)
            try poller.modify(listener.descriptor, [])
            isPaused = true
        }
    }

    /// Watches a connection, or closes it when the poller refuses: select takes no descriptors from 1,024 on.
    private mutating func add(_ connection: Connection) {
        do {
            try poller.add(connection.socket.descriptor, connection.interest)
            connections[connection.socket.descriptor] = connection
        } catch {
            options.onProblem(error)
        }
    }

    private mutating func serve(_ connection: Connection) throws(SystemError) {
        do {
            switch try connection.advance(&buffer, options.handler) {
            case .read, .more: try watch(connection, for: .readable)
            case .write: try watch(connection, for: .writable)
            case .end: try drop(connection)
            }
        } catch {
            options.onProblem(error)
            try drop(connection)
        }
    }

    private mutating func watch(_ connection: Connection, for interest: Interest) throws(SystemError) {
        guard interest != connection.interest else { return }
        connection.interest = interest
        try poller.modify(connection.socket.descriptor, interest)
    }

    private mutating func drop(_ connection: Connection) throws(SystemError) {
        try poller.remove(connection.socket.descriptor)
        connections[connection.socket.descriptor] = nil
    }
}
