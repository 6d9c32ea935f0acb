import Logging
import Readiness

/// The listener and all conversations under one edge-triggered epoll.
final class EchoService {
    private let listener: Socket
    private let logger: Logger
    private var poller: EpollPoller
    private var conversations: [CInt: Conversation] = [:]
    private var buffer = [UInt8](repeating: 0, count: 4096)
    private var isShort = false

    init(_ listener: Socket, _ logger: Logger) throws {
        var poller = try EpollPoller(trigger: .edge)
        try poller.add(listener.descriptor, .readable)
        self.poller = poller
        self.listener = listener
        self.logger = logger
    }

    var waker: Waker { poller.waker }

    /// Waits for something and serves all that is ready.
    func turn() throws {
        let events = try poller.wait(upTo: isShort ? .milliseconds(100) : nil)
        if isShort { try acceptAll() }
        for event in events {
            if event.descriptor == listener.descriptor {
                try acceptAll()
            } else if let conversation = conversations[event.descriptor] {
                try serve(conversation)
            }
        }
    }

    /// The listener is edge-triggered as well: all who wait, or nobody tells of the second.
    private func acceptAll() throws {
        isShort = false
        do {
            while case .connection(let socket) = try listener.accept(blocking: false) { try open(Conversation(socket)) }
        } catch {
            guard error.isShortage else { throw error }
            report(error)
            isShort = true  // the next look comes by itself
        }
    }

    // A function of its own: Swift 6.3.1 crashes on a logger's closure in the catch block of a typed error.
    private func report(_ error: SystemError) { logger.error("\(error)") }

    private func open(_ conversation: Conversation) throws(SystemError) {
        logger.debug("accepted \(conversation.name), descriptor \(conversation.socket.descriptor)")
        try poller.add(conversation.socket.descriptor, .readable)
        conversations[conversation.socket.descriptor] = conversation
    }

    /// "Readable", "writable", "hung up", "failed": whatever it is, going on finds out.
    private func serve(_ conversation: Conversation) throws {
        let before = conversation.interest
        do { try conversation.advance(&buffer) } catch {
            logger.error("\(conversation.name): \(error)")
            return try close(conversation)
        }
        if case .finished = conversation.state { return try close(conversation) }
        guard conversation.interest != before else { return }
        logger.debug("\(conversation.name) now waits to be \(before == .readable ? "writable" : "readable")")
        try poller.modify(conversation.socket.descriptor, conversation.interest)
    }

    private func close(_ conversation: Conversation) throws {
        logger.debug("closed \(conversation.name)")
        try poller.remove(conversation.socket.descriptor)
        conversations[conversation.socket.descriptor] = nil
    }
}
