internal import AsyncUV
internal import Synchronization

/// The connections of a server that has a limit of them. Those that wait for a request can be closed to make room: nothing is lost.
final class Lobby: Sendable {
    fileprivate struct State {
        var present = 0
        var waiting: [Int: any ByteStream] = [:]
        var nextTicket = 0
        /// No smaller ticket waits.
        var oldest = 0
    }

    private let room: Int
    private let state = Mutex(State())

    /// - Parameter firstTicket: For tests: how many connections have waited already.
    init(room: Int, firstTicket: Int = 0) {
        self.room = room
        state.withLock { $0.nextTicket = firstTicket }
    }

    /// A connection comes. When there is no room, the one that has waited longest goes.
    ///
    /// - Returns: Whether one goes.
    func begin() async -> Bool {
        let displaced = state.withLock { state -> (any ByteStream)? in
            state.present += 1
            return state.present > room ? state.removeOldest() : nil
        }
        guard let displaced else { return false }
        await displaced.close()
        return true
    }

    func end() { state.withLock { $0.present -= 1 } }

    /// Lets a connection wait.
    ///
    /// - Returns: A ticket for ``leave(_:)``.
    func enter(_ stream: any ByteStream) -> Int {
        state.withLock { state in
            let ticket = state.nextTicket
            state.nextTicket += 1
            state.waiting[ticket] = stream
            return ticket
        }
    }

    /// - Returns: Whether it was there; otherwise it was closed.
    @discardableResult
    func leave(_ ticket: Int) -> Bool { state.withLock { $0.waiting.removeValue(forKey: ticket) != nil } }
}

extension Lobby.State {
    fileprivate mutating func removeOldest() -> (any ByteStream)? {
        guard !waiting.isEmpty else { return nil }
        // Most tickets were given back: a look at those that wait is shorter than counting.
        if nextTicket - oldest > waiting.count, let first = waiting.keys.min() { oldest = first }
        while true {
            defer { oldest += 1 }
            if let stream = waiting.removeValue(forKey: oldest) { return stream }
        }
    }
}
