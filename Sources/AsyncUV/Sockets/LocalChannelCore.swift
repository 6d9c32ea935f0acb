internal import DequeModule
internal import SystemPackage
internal import UV

/// The part of a ``LocalChannel`` that lives on its loop's thread.
final class LocalChannelCore {
    private let poll: PollHandle
    private var isReceiving = false
    private var receiver: Wait<Void>?
    private var senders: Deque<Wait<Void>> = []
    /// The rest of a message that has begun to leave over a socket for streams, and the task that waits for that.
    private var rest: ArraySlice<UInt8> = []
    private var restSender: Wait<Void>?
    /// What the socket has failed with, if nobody knows yet.
    private var failure: UVError?

    /// Watches a duplicate of the descriptor, which is the channel's own from then on.
    init(_ descriptor: FileDescriptor, on loop: Loop) throws(UVError) {
        try LocalMessage.checkSocket(descriptor)
        poll = try PollHandle(on: loop, watching: descriptor)
        poll.label = "LocalChannel"
    }

    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed.
    func descriptor(_ operation: StaticString) throws(UVError) -> FileDescriptor {
        if poll.isClosing { throw UVError(.badFileDescriptor, in: "\(operation)", of: "a closed local channel") }
        return try poll.fileDescriptor
    }

    // MARK: Receiving

    func beginReceiving() throws(UVError) {
        if isReceiving {
            throw UVError(.alreadyInProcess, in: "receive", of: "a local channel, from which another task receives")
        }
        isReceiving = true
    }

    func endReceiving() { isReceiving = false }

    /// Waits until there is something to receive, the end too.
    func waitForMessage(_ pending: Wait<Void>) throws(UVError) {
        receiver = pending
        pending.onCancel = { [unowned self] in
            receiver = nil
            watch()
        }
        do throws(UVError) { try start() } catch {
            receiver = nil
            throw error
        }
    }

    /// Why the messages have ended; told once.
    func takeFailure() -> UVError? { failure.take() }

    // MARK: Sending

    /// Whether a message may be sent now.
    ///
    /// - Parameter isTurn: Whether the sender has waited, and it is its turn.
    func mayLeave(isTurn: Bool) -> Bool { rest.isEmpty && (isTurn || senders.isEmpty) }

    /// Waits for the sender's turn and for room.
    ///
    /// - Parameter isTurn: Whether it was the sender's turn, and there was no room after all.
    func waitForRoom(isTurn: Bool, _ pending: Wait<Void>) throws(UVError) {
        if isTurn { senders.prepend(pending) } else { senders.append(pending) }
        pending.onCancel = { [unowned self, unowned pending] in
            if let index = senders.firstIndex(where: { $0 === pending }) { senders.remove(at: index) }
            watch()
        }
        do throws(UVError) { try start() } catch {
            senders.removeAll { $0 === pending }
            throw error
        }
    }

    /// Keeps what is left of a message that has begun to leave. It leaves as a whole, also when nobody waits for it any more.
    func keepRest(_ rest: ArraySlice<UInt8>) {
        self.rest = rest
        // Now, because a cancelled sender does not wait.
        watch()
    }

    func waitForRest(_ pending: Wait<Void>) throws(UVError) {
        if rest.isEmpty { return _ = pending.finish(.success(())) }
        restSender = pending
        pending.onCancel = { [unowned self] in restSender = nil }
        try start()
    }

    private func sendRest() {
        do throws(UVError) {
            while !rest.isEmpty {
                let sent = try LocalMessage.send(rest.span, over: descriptor("send"))
                if sent == 0 { return }
                rest = rest.dropFirst(sent)
            }
            rest = []
            let sender = restSender.take()
            sender?.finish(.success(()))
        } catch {
            rest = []
            let sender = restSender.take()
            sender?.finish(.failure(error))
        }
    }

    // MARK: The socket

    /// Watches for what somebody waits for.
    private func watch() { try? start() }

    private func start() throws(UVError) {
        if poll.isClosing { throw UVError(.badFileDescriptor, in: "wait", of: "a closed local channel") }
        var events: PollHandle.Events = []
        if receiver != nil { events.insert(.readable) }
        if !senders.isEmpty || !rest.isEmpty { events.insert(.writable) }
        if events.isEmpty { return poll.stop() }
        try poll.start(events) { [weak self] _, result in self?.ready(result) }
    }

    private func ready(_ result: Result<PollHandle.Events, UVError>) {
        let events: PollHandle.Events
        switch result {
        case .success(let ready): events = ready
        case .failure(let error):
            // What came before is still there; the failure is told after it.
            failure = error
            events = [.readable, .writable]
        }
        var woken: [Wait<Void>] = []
        if events.contains(.readable), let receiver = receiver.take() { woken.append(receiver) }
        if events.contains(.writable) {
            sendRest()
            if rest.isEmpty, let sender = senders.popFirst() { woken.append(sender) }
        }
        watch()
        for wait in woken { wait.finish(.success(())) }
    }

    func close() {
        let waits = [receiver, restSender].compactMap { $0 } + senders
        receiver = nil
        restSender = nil
        senders = []
        rest = []
        poll.close()
        for wait in waits { wait.finish(.failure(UVError(.canceled, in: "\(wait.operation)", of: "a local channel"))) }
    }
}
