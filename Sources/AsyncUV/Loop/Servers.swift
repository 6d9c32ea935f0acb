/// Something that takes connections.
protocol Server: AnyObject {
    /// Takes no new ones.
    func close()
}

/// The listeners of a loop and the calls of `serve` that run on it, so that `shutdown(grace:)` can wait for them. On the loop's
/// thread only.
final class Servers {
    /// The listeners that are open or still serve somebody.
    private var all: [ObjectIdentifier: any Server] = [:]
    private var waiting: [Wait<Void>] = []

    func add(_ server: any Server) { all[ObjectIdentifier(server)] = server }

    func remove(_ server: any Server) {
        all[ObjectIdentifier(server)] = nil
        guard all.isEmpty else { return }
        for pending in waiting { pending.finish(.success(())) }
        waiting = []
    }

    func closeListeners() {
        for server in all.values { server.close() }
    }

    /// Closes all listeners and waits until all handlers have ended.
    func drain(_ pending: Wait<Void>) {
        closeListeners()
        if all.isEmpty { pending.finish(.success(())) } else { waiting.append(pending) }
    }
}
