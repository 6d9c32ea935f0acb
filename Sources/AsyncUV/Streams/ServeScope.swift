internal import UV

/// Shared by all handlers of one `serve` call, because everything a handler captures adds to the memory of an idle
/// connection.
final class ServeScope<Connection: StreamConnection>: Sendable {
    private let loop: EventLoop
    private let seats: LoopBound<Seats>?
    private let server: ServerNumber
    private let idleTimeout: Duration?
    private let onError: @Sendable (any Error, Connection?) -> Void
    private let handler: @Sendable (Connection) async throws -> Void

    init(
        _ loop: EventLoop, _ seats: LoopBound<Seats>?, _ server: ServerNumber, _ idleTimeout: Duration?,
        _ onError: @escaping @Sendable (any Error, Connection?) -> Void,
        _ handler: @escaping @Sendable (Connection) async throws -> Void
    ) {
        self.loop = loop
        self.seats = seats
        self.server = server
        self.idleTimeout = idleTimeout
        self.onError = onError
        self.handler = handler
    }

    /// The scope of one served connection: one cancellation handler for all its reads.
    func serve(_ connection: Connection) async {
        let core = connection.stream.core
        do {
            try await RuntimeShortcuts.serve(connection) {
                if loop.isCurrent { open(core.open(on: loop)) }
                defer { if loop.isCurrent { core.open(on: loop).closeScope() } }
                try await handler(connection)
            }
        } catch { onError(error, connection) }
        // A loop that has ended has closed everything.
        if loop.isCurrent, let rest = core.open(on: loop).close() { await linger(LoopBound(rest)) }
        leave()
    }

    private func open(_ core: StreamCore) {
        core.openScope(of: server)
        if let idleTimeout { core.setIdleTimeout(idleTimeout, in: loop.core.open(on: loop).sleeps) }
    }

    /// Waits until the peer has finished, unless the task is cancelled. Not inlined, so that idle connections do not carry its
    /// frame.
    @inline(never)
    private func linger(_ rest: LoopBound<LingeringClose>) async {
        try? await loop.perform("close") { [loop] _, pending in
            rest.open(on: loop).onDone = { pending.finish(.success(())) }
        }
    }

    func leave() { if loop.isCurrent { seats?.open(on: loop).leave() } }
}

extension StreamConnection {
    /// Ends the read of the task that `serve` made for the connection. On any thread.
    func cancelOwnersRead() {
        let (loop, core) = (stream.loop, stream.core)
        loop.post { core.open(on: loop).cancelOwner() }
    }
}
