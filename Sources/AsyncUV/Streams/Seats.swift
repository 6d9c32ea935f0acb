internal import UV

/// Room for so many connections, on a loop's thread. Those that can be spared, because they only wait for the next message, can be closed to make
/// room for others.
final class Seats {
    private var free: Int
    private var waiting: Wait<Void>?
    private var spares = Spares<StreamCore>()
    /// How many connections were closed for others and have not left.
    private var leaving = 0
    /// How many connections were accepted and wait for a seat.
    private let newcomers: () -> Int

    init(_ count: Int, newcomers: @escaping () -> Int) {
        free = count
        self.newcomers = newcomers
    }

    /// - Returns: Whether there was a seat.
    func takeNow() -> Bool {
        if free <= 0 { return false }
        free -= 1
        return true
    }

    func take(_ pending: Wait<Void>) {
        if takeNow() {
            pending.finish(.success(()))
        } else {
            waiting = pending
            makeRoom()
        }
    }

    func leave() {
        if leaving > 0 { leaving -= 1 }
        if waiting?.finish(.success(())) == true {
            waiting = nil
        } else {
            free += 1
        }
    }

    // MARK: Making room

    private var isWanted: Bool { waiting != nil && leaving < newcomers() }

    /// A connection was accepted, or a seat is waited for: for each newcomer the connection goes that can be spared for the longest time.
    func makeRoom() {
        while isWanted, let core = spares.removeOldest() {
            // What it waits for has come.
            if !core.canBeSpared { continue }
            leaving += 1
            core.close()
        }
    }

    /// - Returns: A ticket; `nil` for a connection that has to go at once.
    func offer(_ core: StreamCore) -> Int? {
        if isWanted {
            leaving += 1
            return nil
        }
        return spares.add(core)
    }

    /// - Returns: Whether the connection can stay.
    func keep(_ ticket: Int) -> Bool { spares.remove(ticket) }
}

/// What can be spared, in the order in which it was offered.
struct Spares<Element> {
    private var waiting: [Int: Element] = [:]
    private var nextTicket: Int
    /// No smaller ticket waits.
    private var oldest = 0

    /// - Parameter firstTicket: For tests: how much has been offered already.
    init(firstTicket: Int = 0) { nextTicket = firstTicket }

    /// - Returns: A ticket for ``remove(_:)``.
    mutating func add(_ element: Element) -> Int {
        defer { nextTicket += 1 }
        waiting[nextTicket] = element
        return nextTicket
    }

    /// - Returns: Whether it was there.
    mutating func remove(_ ticket: Int) -> Bool { waiting.removeValue(forKey: ticket) != nil }

    mutating func removeOldest() -> Element? {
        guard !waiting.isEmpty else { return nil }
        // Most tickets were given back: a look at those that wait is shorter than counting.
        if nextTicket - oldest > waiting.count, let first = waiting.keys.min() { oldest = first }
        while true {
            defer { oldest += 1 }
            if let element = waiting.removeValue(forKey: oldest) { return element }
        }
    }
}

/// The seat of a connection in a `serve` that has a limit of them, which protocols offer to others while nothing is lost with the connection.
package struct ServeSeat: Sendable {
    private let loop: EventLoop
    private let seats: LoopBound<Seats>
    private let core: LoopBound<StreamCore>

    fileprivate init(_ loop: EventLoop, _ seats: Seats, _ core: LoopBound<StreamCore>) {
        self.loop = loop
        self.seats = LoopBound(seats)
        self.core = core
    }

    package enum Offer: Sendable {
        /// For ``keep(_:)``.
        case ticket(Int)
        /// Somebody wants the seat now.
        case taken
        /// The caller is not on the loop.
        case none
    }

    /// From now on the connection is closed when another one needs its seat.
    package func offer() -> Offer {
        guard loop.isCurrent else { return .none }
        return seats.open(on: loop).offer(core.open(on: loop)).map { .ticket($0) } ?? .taken
    }

    /// Takes an offer back.
    ///
    /// - Returns: Whether the connection can stay; otherwise it was closed.
    package func keep(_ offer: Offer) -> Bool {
        guard case .ticket(let ticket) = offer, loop.isCurrent else { return true }
        return seats.open(on: loop).keep(ticket)
    }
}

extension LoopStream {
    /// The connection's seat; `nil` when its server has room for everybody, and for callers that are not on the loop.
    package var seat: ServeSeat? {
        guard loop.isCurrent else { return nil }
        let number = core.open(on: loop).server
        return loop.core.open(on: loop).servers.seats(of: number).map { ServeSeat(loop, $0, core) }
    }
}
