internal import DequeModule
internal import UV

/// The part of a listener that lives on its loop's thread.
final class ListenerCore<Listening: ListeningStream>: Server {
    typealias Handle = Listening.Accepted

    /// How many connections are accepted before anybody asks.
    private static var ahead: Int { 32 }

    let handle: Listening
    private let servers: Servers
    private var accepted: Deque<Result<Handle, UVError>> = []
    private var waiting: Deque<Wait<LoopBound<Handle>?>> = []
    private var isPaused = false
    /// How many calls of `serve` take connections.
    private var serving = 0
    /// Given at the first call of `serve`.
    private(set) var number = ServerNumber.none

    init(_ handle: Listening, _ servers: Servers) {
        self.handle = handle
        self.servers = servers
    }

    func listen(_ backlog: Int) throws(UVError) {
        try handle.listen(backlog: backlog) { [weak self] _, connection in
            if let self { arrived(connection) } else if case .success(let handle) = connection { handle.close() }
        }
        servers.add(self)
    }

    private func arrived(_ connection: Result<Handle, UVError>) {
        while let pending = waiting.popFirst() {
            if hand(connection, to: pending) { return }
        }
        if case .failure = connection, case .failure? = accepted.last { return }
        accepted.append(connection)
        guard accepted.count >= Self.ahead, !isPaused else { return }
        isPaused = true
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
        guard let connection = accepted.popFirst() else { return nil }
        if isPaused, accepted.isEmpty {
            isPaused = false
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
            waiting.append(pending)
            pending.onCancel = { [unowned self, unowned pending] in
                if let index = waiting.firstIndex(where: { $0 === pending }) { waiting.remove(at: index) }
            }
        }
    }

    func beginServing() {
        if number == .none { number = servers.makeNumber() }
        serving += 1
    }

    func endServing() {
        serving -= 1
        if handle.isClosing { close() }
    }

    func close() {
        handle.close(onClosed: nil)
        if serving == 0 {
            for case .success(let handle) in accepted { handle.close() }
            accepted = []
            servers.remove(self, number)
            number = .none
        } else {
            servers.drain(number)
        }
        let waiting = waiting
        self.waiting = []
        for pending in waiting { pending.finish(.success(nil)) }
    }
}
