internal import UV

/// Something that takes connections.
protocol Server: AnyObject {
    /// Takes no new ones.
    func close()
}

/// Names a server among those of its loop, in the room that a connection has for it.
struct ServerNumber: Hashable {
    fileprivate let number: UInt16

    /// Of connections that no server serves, and of servers beyond 65,535.
    static let none = Self(number: 0)
}

/// The listeners of a loop and the calls of `serve` that run on it, so that `shutdown(grace:)` can wait for them. On the loop's
/// thread only.
final class Servers {
    private unowned let loop: Loop
    let gauges: LoopGauges
    /// The listeners that are open or still serve somebody.
    private var all: [ObjectIdentifier: any Server] = [:]
    private var waiting: [Wait<Void>] = []
    private var numbers: Set<ServerNumber> = []
    /// The seats of servers that have a limit of them.
    private var seats: [ServerNumber: Seats] = [:]
    /// Servers that are closed and still serve somebody.
    private var draining: Set<ServerNumber> = []
    /// Whether the whole loop drains.
    private var isDraining = false
    /// Whether anything drains.
    private var hasBegun = false

    init(on loop: Loop, _ gauges: LoopGauges) {
        self.loop = loop
        self.gauges = gauges
    }

    func add(_ server: any Server) { all[ObjectIdentifier(server)] = server }

    func remove(_ server: any Server, _ number: ServerNumber) {
        all[ObjectIdentifier(server)] = nil
        numbers.remove(number)
        draining.remove(number)
        hasBegun = isDraining || !draining.isEmpty
        guard all.isEmpty else { return }
        for pending in waiting { pending.finish(.success(())) }
        waiting = []
    }

    /// A number for a server, until it is removed.
    func makeNumber() -> ServerNumber {
        for number in 1...UInt16.max where numbers.insert(ServerNumber(number: number)).inserted {
            return ServerNumber(number: number)
        }
        return .none
    }

    func setSeats(_ seats: Seats?, of server: ServerNumber) { if server != .none { self.seats[server] = seats } }

    func seats(of server: ServerNumber) -> Seats? { seats.isEmpty ? nil : seats[server] }

    /// Closes all listeners, because the loop is to end.
    func closeListeners() {
        isDraining = true
        hasBegun = true
        for server in all.values { server.close() }
    }

    // MARK: Draining

    /// Whether connections of a server are to end at the next boundary between their messages.
    @inline(__always)
    func isDraining(_ server: ServerNumber) -> Bool {
        hasBegun && (isDraining || draining.contains(server))
    }

    /// Ends the reads of the server's connections that wait for their next message.
    func drain(_ server: ServerNumber) {
        if isDraining || server == .none || !draining.insert(server).inserted { return }
        hasBegun = true
        drain { $0.server == server }
    }

    /// Closes all listeners and waits until all handlers have ended.
    func drain(_ pending: Wait<Void>) {
        closeListeners()
        drain { _ in true }
        if all.isEmpty { pending.finish(.success(())) } else { waiting.append(pending) }
    }

    // Once in the life of a server. A list of connections that wait would cost each of them memory.
    private func drain(_ isMeant: (StreamCore) -> Bool) {
        for handle in loop.handles {
            if let core = (handle as? StreamHandle)?.attachment as? StreamCore, isMeant(core) { core.drain() }
        }
    }
}
