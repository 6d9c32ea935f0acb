import AsyncUV
import Synchronization

/// The connections that wait for a request. Here nothing is lost when one is closed to make room.
final class Lobby: Sendable {
    private struct State {
        var waiting: [Int: TCPConnection] = [:]
        var nextTicket = 0
        /// No smaller ticket waits.
        var oldest = 0
    }

    private let state = Mutex(State())

    /// Lets a connection wait.
    ///
    /// - Returns: A ticket for ``leave(_:)``.
    func enter(_ client: TCPConnection) -> Int {
        state.withLock { state in
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
}
