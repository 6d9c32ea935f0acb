internal import Synchronization

/// Asks a server to end, from any thread, once and for ever.
public final class Stop: Sendable {
    private struct State {
        var isRequested = false
        var actions: [Int: @Sendable () -> Void] = [:]
        var nextID = 0
    }

    private let state = Mutex(State())

    public init() {}

    public var isRequested: Bool { state.withLock { $0.isRequested } }

    /// Ends the servers that run with it; servers started later end at once.
    public func request() {
        let actions = state.withLock { state in
            state.isRequested = true
            defer { state.actions = [:] }
            return state.actions.values.map { $0 }
        }
        for action in actions { action() }
    }

    /// Calls `action` when the end is requested, on the requesting thread; at once if it has been already.
    /// It shall interrupt what the server waits for.
    public func onRequest(_ action: @escaping @Sendable () -> Void) -> Interruption {
        let id: Int? = state.withLock { state in
            guard !state.isRequested else { return nil }
            state.nextID += 1
            state.actions[state.nextID] = action
            return state.nextID
        }
        if id == nil { action() }
        return Interruption(stop: self, id: id)
    }

    /// An action of ``onRequest(_:)``.
    public struct Interruption: Sendable {
        fileprivate let stop: Stop
        fileprivate let id: Int?

        /// Forgets the action. It may still be running.
        public func cancel() {
            if let id { stop.state.withLock { $0.actions[id] = nil } }
        }
    }
}
