internal import UV

/// A listener of the callback layer on its loop: what the listeners of all kinds of connections are made of.
struct LoopListener<Listening: ListeningStream, Connection: HandleConnection>: Sendable
where Connection.Handle == Listening.Accepted {
    let loop: EventLoop
    let core: LoopBound<ListenerCore<Listening>>

    /// Begins to listen, on the loop.
    init(_ handle: Listening, backlog: Int, on loop: EventLoop) throws(UVError) {
        self.loop = loop
        let core = ListenerCore(handle, loop.core.open(on: loop).servers)
        self.core = LoopBound(core)
        try core.listen(backlog)
    }

    /// Closes the listener: nobody refers to it any more.
    func drop() {
        let core = core
        let loop = loop
        if loop.isCurrent { core.open(on: loop).close() } else { loop.post { core.open(on: loop).close() } }
    }

    func close() async {
        if loop.isCurrent { return core.open(on: loop).close() }
        try? await loop.hop { core.open(on: loop).close() }
    }

    func withHandle<Value: Sendable>(_ body: @Sendable (Listening) -> Value) async throws -> Value {
        if loop.isCurrent { return body(core.open(on: loop).handle) }
        return try await loop.hop { body(core.open(on: loop).handle) }
    }

    /// - Parameter subject: What is accepted from, for the error of a timeout.
    func accept(within timeout: Duration?, of subject: @autoclosure () -> String) async throws -> Connection? {
        guard let timeout else { return try await accept() }
        let (time, subject) = (TimeLeft(timeout), subject())
        while true {
            if let handle = try await takeAccepted() {
                if let connection = connection(handle) { return connection }
                continue
            }
            let handle = try await loop.perform("accept", of: subject, within: time.left) { _, pending in
                core.open(on: loop).take(pending)
            }
            guard let handle else { return nil }
            if let connection = try await loop.withLoop({ _ in connection(handle.open(on: loop)) }) {
                return connection
            }
        }
    }

    func accept() async throws -> Connection? {
        while true {
            if let handle = try await takeAccepted() {
                if let connection = connection(handle) { return connection }
                continue
            }
            let handle = try await loop.perform("accept") { _, pending in core.open(on: loop).take(pending) }
            guard let handle else { return nil }
            if let connection = try await loop.withLoop({ _ in connection(handle.open(on: loop)) }) {
                return connection
            }
        }
    }

    /// Takes a connection that is accepted already, without a wait and without a job. The caller gets it even when its task is
    /// cancelled meanwhile.
    private func takeAccepted() async throws -> Connection.Handle? {
        guard loop.hostsCurrentTask, !loop.core.open(on: loop).isEnding else { return nil }
        try checkCancellation()
        guard let accepted = core.open(on: loop).takeAccepted() else { return nil }
        if loop.charge(Cost.systemCall) { await loop.giveWay() }
        return try accepted.get()
    }

    /// Makes a connection of a handle; `nil` when its peer is gone already, which is not the listener's failure.
    private func connection(_ handle: Connection.Handle) -> Connection? { try? Connection(handle, on: loop) }

    // MARK: Serving

    func serve(
        maxConnections: Int, idleTimeout: Duration? = nil,
        onError: @escaping @Sendable (any Error, Connection?) -> Void,
        _ handler: @escaping @Sendable (Connection) async throws -> Void
    ) async throws {
        guard loop.hostsCurrentTask else {
            return try await loop.hop {
                try await serve(
                    maxConnections: maxConnections, idleTimeout: idleTimeout, onError: onError, handler)
            }
        }
        guard maxConnections > 0 else {
            throw UVError(.invalidArgument, in: "serve", of: "at most \(maxConnections) connections")
        }
        if let idleTimeout, idleTimeout <= .zero {
            throw UVError(.invalidArgument, in: "serve", of: "an idle timeout of \(idleTimeout)")
        }
        core.open(on: loop).beginServing()
        defer { if loop.isCurrent { core.open(on: loop).endServing() } }
        let seats = maxConnections == .max ? nil : LoopBound(core.open(on: loop).makeSeats(maxConnections))
        let scope = ServeScope(loop, seats, core.open(on: loop).number, idleTimeout, onError, handler)
        let wait = LoopBound(ServingWait())
        try loop.start(wait.open(on: loop)) { _ in }
        // A loop that has ended has unlinked it.
        defer { if loop.isCurrent { wait.open(on: loop).unlink() } }
        try await RuntimeShortcuts.run(cancelling: wait.open(on: loop), on: loop) {
            try await withThrowingDiscardingTaskGroup { group in
                while true {
                    if let seats { try await takeSeat(seats) }
                    do {
                        guard let connection = try await next(wait) else { return }
                        group.addTask(executorPreference: loop) { await scope.serve(connection) }
                    } catch let error as UVError where error.isPassing {
                        scope.leave()
                        onError(error, nil)
                    }
                }
            }
        }
    }

    private func forgetIfEnded(_ wait: LoopBound<ServingWait>) {
        if loop.isCurrent, wait.open(on: loop).hasEnded { core.open(on: loop).forget(wait.open(on: loop)) }
    }

    private func takeSeat(_ seats: LoopBound<Seats>) async throws {
        if loop.isCurrent, seats.open(on: loop).takeNow() { return }
        try await loop.perform("serve") { _, pending in seats.open(on: loop).take(pending) }
    }

    /// The next connection for a call of `serve`; `nil` when the listener is closed.
    private func next(_ wait: LoopBound<ServingWait>) async throws -> Connection? {
        while true {
            try checkCancellation()
            if !loop.isCurrent { throw loop.ended("accept") }
            let (core, waiting) = (core.open(on: loop), wait.open(on: loop))
            try waiting.check()
            if let accepted = core.takeAccepted() {
                let connection = try connection(accepted.get())
                if loop.charge(Cost.systemCall) { await loop.giveWay() }
                if let connection { return connection }
            } else if core.handle.isClosing {
                return nil
            } else {
                try await Suspension.wait { core.wait(waiting, $0) }
                forgetIfEnded(wait)
            }
        }
    }
}

extension UVError {
    /// Whether accepting goes on: the system is out of something for now, or its firewall forbids one connection.
    var isPassing: Bool {
        [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory, .notPermitted].contains(code)
    }
}
