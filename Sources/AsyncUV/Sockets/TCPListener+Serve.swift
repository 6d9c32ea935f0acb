internal import Synchronization
internal import SystemPackage
public import UV

extension TCPListener {
    /// Serves each connection in a child task on the loop and closes it when the handler ends.
    ///
    /// A client that still sends when its handler ends gets what was written to it: see ``TCPConnection/close()``. Its
    /// connection counts until it has finished, too. An error of a handler ends its connection only. After ``close()`` no new connections come, those there are
    /// served to their end, and the call returns. Cancelling the task cancels all handlers.
    ///
    /// - Parameter maxConnections: More wait: up to 32 accepted ahead, with their descriptors, the others in the kernel.
    /// - Parameter onError: Gets what a handler threw, with the connection's peer, and a lack of descriptors or
    ///   the like, without one. By default a line on standard error, but for peers that vanished and cancelled handlers.
    /// - Throws: `CancellationError` when cancelled, ``UVError`` with `.canceled` when the loop ends, `.invalidArgument` for
    ///   fewer connections than one.
    public func serve(
        maxConnections: Int = .max,
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TCPListener.report,
        _ handler: @escaping @Sendable (TCPConnection) async throws -> Void
    ) async throws {
        guard loop.hostsCurrentTask else {
            return try await loop.hop {
                try await self.serve(maxConnections: maxConnections, onError: onError, handler)
            }
        }
        guard maxConnections > 0 else {
            throw UVError(.invalidArgument, in: "serve", of: "at most \(maxConnections) connections")
        }
        core.open(on: loop).beginServing()
        defer { if loop.isCurrent { core.open(on: loop).endServing() } }
        let service = Service(loop, Seats(maxConnections), onError, handler)
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                try await loop.perform("serve") { _, pending in service.seats.open(on: self.loop).take(pending) }
                do {
                    guard let connection = try await accept() else { return }
                    group.addTask(executorPreference: loop) { await service.serve(connection) }
                } catch let error as UVError where error.isPassing {
                    service.leave()
                    onError(error, nil)
                }
            }
        }
    }

    /// What ``serve(maxConnections:onError:_:)`` does with errors by default: a line on standard error, but not for what
    /// is everyday life: a peer that vanished, a handler that was cancelled. A lack of descriptors, which comes again and
    /// again while it lasts, is a line a second.
    ///
    /// Standard error is written to at once: where it is a pipe that nobody reads, bring your own `onError`.
    public static let report: @Sendable (any Error, SocketAddress?) -> Void = { error, peer in
        if error is CancellationError { return }
        if let error = error as? UVError, [.connectionReset, .brokenPipe, .timedOut, .canceled].contains(error.code) {
            return
        }
        if peer == nil, !isTimeToComplain() { return }
        let line = (peer.map { "\($0): " } ?? "") + "\(error)\n"
        _ = try? FileDescriptor.standardError.writeAll(line.utf8)
    }
}

private let lastComplaint = Atomic<Int64>(.min)

/// Once a second for the whole process.
private func isTimeToComplain() -> Bool {
    let now = Loop.hrtime.components.seconds
    return lastComplaint.exchange(now, ordering: .relaxed) != now
}

/// What the tasks of one call of ``TCPListener/serve(maxConnections:onError:_:)`` share. What each has of its own, in
/// captures and in frames, is what an idle connection costs.
private final class Service: Sendable {
    private let loop: EventLoop
    let seats: LoopBound<Seats>
    private let onError: @Sendable (any Error, SocketAddress?) -> Void
    private let handler: @Sendable (TCPConnection) async throws -> Void

    init(
        _ loop: EventLoop, _ seats: Seats, _ onError: @escaping @Sendable (any Error, SocketAddress?) -> Void,
        _ handler: @escaping @Sendable (TCPConnection) async throws -> Void
    ) {
        self.loop = loop
        self.seats = LoopBound(seats)
        self.onError = onError
        self.handler = handler
    }

    /// The scope of one served connection: one cancellation handler for all its reads.
    func serve(_ connection: TCPConnection) async {
        let core = connection.core
        do {
            try await withTaskCancellationHandler {
                if loop.isCurrent { core.open(on: loop).openScope() }
                defer { if loop.isCurrent { core.open(on: loop).closeScope() } }
                try await handler(connection)
            } onCancel: { [loop] in
                loop.post { core.open(on: loop).cancelOwner() }
            }
        } catch { onError(error, connection.remoteAddress) }
        // A loop that has ended has closed everything.
        if loop.isCurrent, let rest = core.open(on: loop).close() { await linger(LoopBound(rest)) }
        leave()
    }

    /// Waits until the peer has finished, unless the task is cancelled. Apart, for its frame.
    @inline(never)
    private func linger(_ rest: LoopBound<LingeringClose>) async {
        try? await loop.perform("close") { [loop] _, pending in
            rest.open(on: loop).onDone = { pending.finish(.success(())) }
        }
    }

    func leave() { if loop.isCurrent { seats.open(on: loop).leave() } }
}

/// Room for so many, on a loop's thread.
private final class Seats {
    private var free: Int
    private var waiting: Wait<Void>?

    init(_ count: Int) { free = count }

    func take(_ pending: Wait<Void>) {
        if free > 0 {
            free -= 1
            pending.finish(.success(()))
        } else {
            waiting = pending
        }
    }

    func leave() {
        if waiting?.finish(.success(())) == true {
            waiting = nil
        } else {
            free += 1
        }
    }
}
