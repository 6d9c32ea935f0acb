internal import DequeModule
internal import UV

/// The part of a listener that lives on its loop's thread.
final class ListenerCore<Listening: ListeningStream>: Server {
    typealias Handle = Listening.Accepted

    /// How many connections are accepted before anybody asks.
    private static var ahead: Int { 32 }

    let handle: Listening
    private let all: Servers
    @exclusivity(unchecked) private var accepted: Deque<Result<Handle, UVError>> = []
    @exclusivity(unchecked) private var waiting: Deque<Wait<LoopBound<Handle>?>> = []
    /// Calls of `serve` that wait for a connection.
    @exclusivity(unchecked) private var servers: Deque<ServingWait> = []
    @exclusivity(unchecked) private var isPaused = false
    /// How many calls of `serve` take connections.
    private var serving = 0
    /// Those of the last call of `serve` with a limit.
    private weak var seats: Seats?
    /// Given at the first call of `serve`.
    private(set) var number = ServerNumber.none

    init(_ handle: Listening, _ servers: Servers) {
        self.handle = handle
        all = servers
    }

    func listen(_ backlog: Int) throws(UVError) {
        try handle.listen(backlog: backlog) { [weak self] _, connection in
            if let self { arrived(connection) } else if case .success(let handle) = connection { handle.close() }
        }
        all.add(self)
    }

    private func arrived(_ connection: Result<Handle, UVError>) {
        while let pending = unsafe waiting.popFirst() {
            if hand(connection, to: pending) { return }
        }
        if case .failure = connection, case .failure? = unsafe accepted.last { return }
        unsafe accepted.append(connection)
        if let server = unsafe servers.popFirst() { server.wake() } else { seats?.makeRoom() }
        guard unsafe accepted.count >= Self.ahead, unsafe !isPaused else { return }
        unsafe isPaused = true
        all.gauges.acceptPauses.add(1)
        handle.pauseAccepting()
    }

    private func hand(_ connection: Result<Handle, UVError>, to pending: Wait<LoopBound<Handle>?>) -> Bool {
        switch connection {
        case .success(let handle): pending.finish(.success(LoopBound(handle)))
        case .failure(let error): pending.finish(.failure(error))
        }
    }

    /// Takes a connection that was accepted before anybody asked for it.
    func takeAccepted() -> Result<Handle, UVError>? {
        guard let connection = unsafe accepted.popFirst() else { return nil }
        if unsafe isPaused, unsafe accepted.isEmpty {
            unsafe isPaused = false
            try? handle.resumeAccepting()
        }
        return connection
    }

    func take(_ pending: Wait<LoopBound<Handle>?>) {
        if let connection = takeAccepted() {
            _ = hand(connection, to: pending)
        } else if handle.isClosing {
            pending.finish(.success(nil))
        } else {
            unsafe waiting.append(pending)
            pending.onCancel = { [unowned self, unowned pending] in
                if let index = unsafe waiting.firstIndex(where: { $0 === pending }) { unsafe waiting.remove(at: index) }
            }
        }
    }

    /// Wakes a call of `serve` when there may be a connection for it, or none will come any more.
    func wait(_ server: ServingWait, _ task: Suspension<Void>) {
        server.suspend(task)
        // Something may have happened before the task was suspended: see RuntimeShortcuts. The listener of a loop that has ended is
        // not looked at.
        if unsafe server.hasEnded || !accepted.isEmpty || handle.isClosing {
            server.wake()
        } else {
            unsafe servers.append(server)
        }
    }

    /// A call of `serve` waits no longer.
    func forget(_ server: ServingWait) { unsafe servers.removeAll { $0 === server } }

    /// Seats for a call of `serve`.
    func makeSeats(_ count: Int) -> Seats {
        let seats = Seats(count) { [weak self] in
            if let self { unsafe self.accepted.count } else { 0 }
        }
        self.seats = seats
        all.setSeats(seats, of: number)
        return seats
    }

    func beginServing() {
        if number == .none { number = all.makeNumber() }
        serving += 1
    }

    func endServing() {
        serving -= 1
        if serving == 0 { all.setSeats(nil, of: number) }
        if handle.isClosing { close() }
    }

    func close() {
        handle.close(onClosed: nil)
        if serving == 0 {
            for case .success(let handle) in unsafe accepted { handle.close() }
            unsafe accepted = []
            all.remove(self, number)
            number = .none
        } else {
            all.drain(number)
        }
        while let pending = unsafe waiting.popFirst() { pending.finish(.success(nil)) }
        while let server = unsafe servers.popFirst() { server.wake() }
    }
}
