internal import AsyncUV
internal import DequeModule

/// The part of a ``TestListener`` that lives on its loop's thread.
final class AcceptCore {
    /// A connection that nobody has accepted.
    struct Waiting {
        let remote: SocketAddress
        let outgoing: Wire
        let incoming: Wire
    }

    let address: SocketAddress
    let network: NetworkCore
    let name: String
    private let backlog: Int
    private var waiting: Deque<Waiting> = []
    private var acceptors: Deque<TwinWait> = []
    private(set) var isClosed = false

    init(_ network: NetworkCore, at address: SocketAddress, backlog: Int) {
        self.network = network
        self.address = address
        self.backlog = backlog
        name = "\(address)"
    }

    var hasRoom: Bool { waiting.count < backlog }

    func add(_ connection: Waiting) {
        if isClosed { return refuse(connection) }
        waiting.append(connection)
        wake()
    }

    private func refuse(_ connection: Waiting) {
        connection.outgoing.sendReset()
        connection.incoming.closeFar()
    }

    /// Lets those who wait look again.
    func wake() {
        let waits = acceptors
        acceptors = []
        for wait in waits { wait.finish() }
    }

    /// Ends a wait when ``take()`` has something to say.
    func awaitConnection(_ wait: TwinWait) {
        if isClosed || !waiting.isEmpty { return wait.finish() }
        acceptors.append(wait)
        wait.onCancel = { [weak self, weak wait] in self?.acceptors.removeAll { $0 === wait } }
    }

    /// The next connection; `nil` for none.
    func take() throws(UVError) -> TestConnection? {
        guard let first = waiting.first else { return nil }
        try network.takeDescriptor("accept", "\(address)")
        waiting.removeFirst()
        return TestConnection(
            network, local: address, remote: first.remote, outgoing: first.outgoing, incoming: first.incoming)
    }

    /// Waits until accepting may work again.
    func awaitDescriptor(_ wait: TwinWait) {
        if isClosed || (network.hasRoom && !network.hasFailures) { return wait.finish() }
        acceptors.append(wait)
        wait.onCancel = { [weak self, weak wait] in self?.acceptors.removeAll { $0 === wait } }
    }

    func close() {
        if isClosed { return }
        isClosed = true
        network.remove(self)
        for connection in waiting { refuse(connection) }
        waiting = []
        wake()
    }
}
