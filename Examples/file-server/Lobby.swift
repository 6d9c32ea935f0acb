import AsyncUV
import Synchronization

/// The connections that wait for a request. Here nothing is lost when one is closed: that makes room, and ends the server.
final class Lobby: Sendable {
    private struct State {
        var waiting: [Int: TCPConnection] = [:]
        var nextTicket = 0
        /// No smaller ticket waits.
        var oldest = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Lets a connection wait.
    ///
    /// - Returns: A ticket for ``leave(_:)``; `nil` when nobody is to wait any more.
    func enter(_ client: TCPConnection) -> Int? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            let ticket = state.nextTicket
            state.nextTicket += 1
            state.waiting[ticket] = client
            return ticket
        }
    }

    func leave(_ ticket: Int) { state.withLock { _ = $0.waiting.removeValue(forKey: ticket) } }

    /// Takes out the one that has waited longest.
    func removeOldest() -> TCPConnection? {
        state.withLock { state in
            guard !state.waiting.isEmpty else { return nil }
            while true {
                defer { state.oldest += 1 }
                if let client = state.waiting.removeValue(forKey: state.oldest) { return client }
            }
        }
    }

    /// Lets nobody wait any more.
    func close() async {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for client in waiting { await client.close() }
    }
}
