internal import Dispatch
public import Readiness
internal import Synchronization

/// A thread for each connection, each of which blocks. Not more than ``ServerOptions/limit`` at once.
public struct ThreadServer: Server {
    let options: ServerOptions

    public init(_ options: ServerOptions = ServerOptions()) { self.options = options }

    public func run(on listener: Socket, until stop: Stop) throws(SystemError) {
        let crew = Crew(options, stop)
        try listener.setBlocking(true)
        let interruption = stop.onRequest { crew.hangUp() }
        defer {
            interruption.cancel()
            crew.waitForAll()
        }
        while let connection = try crew.nextConnection(of: listener) { crew.serve(connection) }
    }
}

/// The threads of a ``ThreadServer`` and their connections.
private final class Crew: Sendable {
    private let options: ServerOptions
    private let stop: Stop
    private let connections = Mutex<[CInt: Socket]>([:])

    /// Counts the free seats. Each thread sits on one; so does the acceptor while it waits for a connection.
    private let seats = DispatchSemaphore(value: 0)

    init(_ options: ServerOptions, _ stop: Stop) {
        self.options = options
        self.stop = stop
        for _ in 0..<options.limit { seats.signal() }
    }

    /// Waits for a seat, then for a connection. After `nil` or an error the acceptor has kept its seat.
    func nextConnection(of listener: Socket) throws(SystemError) -> Socket? {
        seats.wait()
        do { return try listener.acceptBlocking(until: stop, options) } catch {
            hangUp()
            throw error
        }
    }

    /// Gives the acceptor's seat to a thread.
    func serve(_ connection: Socket) {
        let id = connection.descriptor
        connections.withLock { $0[id] = connection }
        if stop.isRequested { hangUp() }  // it may have passed before this connection was in the table
        do {
            // The thread takes the number and finds the socket itself: it must be closed before the seat is free.
            try WorkerThread.start { [self] in
                converse(id)
                seats.signal()
            }
        } catch {
            options.onProblem(error)
            connections.withLock { $0[id] = nil }
            seats.signal()
        }
    }

    private func converse(_ id: CInt) {
        guard let connection = connections.withLock({ $0[id] }) else { return }
        var buffer = [UInt8](repeating: 0, count: options.chunk)
        do { try connection.converse(&buffer, options.handler) } catch {
            if !stop.isRequested { options.onProblem(error) }
        }
        connections.withLock { $0[id] = nil }
    }

    /// Ends what the threads wait for.
    func hangUp() {
        for connection in connections.withLock({ $0.values.map { $0 } }) { try? connection.shutdown(.both) }
    }

    /// Takes all seats but the acceptor's own: then no thread is left.
    func waitForAll() {
        for _ in 1..<max(1, options.limit) { seats.wait() }
    }
}
