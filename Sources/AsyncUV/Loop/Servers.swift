/// What serves on a loop, so that its end can wait for it. On the loop's thread only.
final class Servers {
    private var listeners: [ObjectIdentifier: ListenerCore] = [:]
    /// How many calls of ``TCPListener/serve(maxConnections:onError:_:)`` are under way.
    private var serving = 0
    private var waiting: [Wait<Void>] = []

    func add(_ listener: ListenerCore) { listeners[ObjectIdentifier(listener)] = listener }

    func remove(_ listener: ListenerCore) { listeners[ObjectIdentifier(listener)] = nil }

    func begin() { serving += 1 }

    func end() {
        serving -= 1
        guard serving == 0 else { return }
        for pending in waiting { pending.finish(.success(())) }
        waiting = []
    }

    func closeListeners() {
        for listener in listeners.values { listener.close() }
    }

    /// Closes all listeners and waits until everybody has been served.
    func drain(_ pending: Wait<Void>) {
        closeListeners()
        if serving == 0 { pending.finish(.success(())) } else { waiting.append(pending) }
    }
}
