import ExampleSupport
import Readiness

/// The listener and all clients, each with its queue, under one select.
struct Switchboard: ~Copyable {
    private let listener: Socket
    private var poller: SelectPoller
    private var clients: [CInt: Client] = [:]
    private var buffer = [UInt8](repeating: 0, count: 1024)

    init(_ listener: Socket) throws {
        var poller = try SelectPoller()
        try poller.add(listener.descriptor, .readable)
        self.poller = poller
        self.listener = listener
    }

    var waker: Waker { poller.waker }

    /// Waits for something and serves all that is ready.
    mutating func turn() throws {
        for event in try poller.wait() {
            if event.descriptor == listener.descriptor {
                try acceptClient()
            } else if let client = clients[event.descriptor] {
                do { try serve(client, event.readiness) } catch { try drop(client, "\(error)") }
            }
        }
    }

    private mutating func acceptClient() throws {
        guard case .connection(let socket) = try listener.accept(blocking: false) else { return }
        let client = Client(socket)
        printLine("new connection from \(client.name)")
        do {
            try poller.add(socket.descriptor, client.interest)
            clients[socket.descriptor] = client
        } catch {
            printLine("refused \(client.name): \(error)")  // select has room for descriptors below 1,024
        }
    }

    private mutating func serve(_ client: Client, _ readiness: ReadyEvent.Readiness) throws {
        if readiness.contains(.priority) { return try drop(client, "exceptional condition") }
        if readiness.contains(.readable), !client.queue.isFull { try receive(client) }
        if readiness.contains(.writable) { try send(client) }
        if client.hasFinished && client.queue.isEmpty { return try drop(client, "has left") }
        try poller.modify(client.socket.descriptor, client.interest)
    }

    private mutating func receive(_ client: Client) throws {
        switch try client.socket.receive(into: &buffer) {
        case .bytes(let count):
            printLine("received from \(client.name): \(text(buffer[0..<count]))")
            client.queue.put(Array(buffer[0..<count]))
        case .end: client.hasFinished = true  // its replies still go out
        case .wouldBlock: break
        }
    }

    private func send(_ client: Client) throws {
        guard !client.queue.isEmpty else { return }
        let message = client.queue.next.map { (97...122).contains($0) ? $0 - 32 : $0 }
        guard case .bytes(let count) = try client.socket.send(message) else { return }
        printLine("sent to \(client.name): \(text(message[0..<count]))")
        client.queue.didSend(count)
    }

    private mutating func drop(_ client: Client, _ reason: String) throws {
        printLine("closing \(client.name): \(reason)")
        try poller.remove(client.socket.descriptor)
        clients[client.socket.descriptor] = nil
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
}

private final class Client {
    let socket: Socket
    let name: String
    var queue = MessageQueue()
    var hasFinished = false

    init(_ socket: Socket) {
        self.socket = socket
        name = socket.remoteEndpoint.map { "\($0)" } ?? "somebody"
    }

    /// Urgent data always; writable only while something waits, or select would return at once for ever.
    var interest: Interest {
        var interest: Interest = .priority
        if !hasFinished && !queue.isFull { interest.insert(.readable) }
        if !queue.isEmpty { interest.insert(.writable) }
        return interest
    }
}
