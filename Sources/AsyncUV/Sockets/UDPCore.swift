internal import DequeModule
internal import UV

/// The part of a UDP socket that lives on its loop's thread.
///
/// A task that waits is resumed when there is something, and takes it then: so nothing is received that nobody asked for, but for
/// what comes in the same system call.
final class UDPCore {
    let handle: UDPHandle
    private var waiting: Deque<ReceiveWait> = []
    /// Gets whatever comes, if there is one.
    private(set) var queue: DatagramQueue?

    init(_ handle: UDPHandle) {
        self.handle = handle
        handle.onReadable { [unowned self] _ in readable() }
        handle.onClosing = { [unowned self] in closing() }
    }

    // MARK: Receiving

    /// Lends the next datagram, if it is there.
    @inline(__always)
    func takeNow<Value>(
        _ operation: StaticString, upTo limit: Int, _ body: (Span<UInt8>, Datagram.Info) -> Value
    ) throws(UVError) -> Value? {
        try checkReceiver(operation)
        // In a callback of libuv that has found all there is the system need not be asked again.
        if handle.isExhausted, !handle.hasAhead { return nil }
        let value = try handle.takeNext(upTo: limit, body)
        if handle.hasAhead { resumeNext() }
        return value
    }

    /// Appends what is there.
    func takeNow(into batch: inout DatagramBatch, upTo most: Int) throws(UVError) -> Int {
        try checkReceiver("receive")
        if handle.isExhausted, !handle.hasAhead { return 0 }
        let count = try handle.takeAll(into: &batch, upTo: most)
        if handle.hasAhead { resumeNext() }
        return count
    }

    @inline(__always)
    private func checkReceiver(_ operation: StaticString) throws(UVError) {
        if handle.isClosing { try handle.watch(operation) }
        if queue != nil {
            throw UVError(.alreadyInProcess, in: "\(operation)", of: "a UDP socket whose datagrams go to a sequence")
        }
    }

    func add(_ wait: ReceiveWait) throws(UVError) {
        try handle.watch("receive")
        waiting.append(wait)
    }

    func remove(_ wait: ReceiveWait) {
        if let index = waiting.firstIndex(where: { $0 === wait }) { waiting.remove(at: index) }
    }

    /// Who waits longest takes what has come.
    private func resumeNext() { waiting.popFirst()?.finish(.success(())) }

    private func readable() {
        if let queue { return queue.receive(from: handle) }
        if waiting.isEmpty { handle.stopWatching() } else { resumeNext() }
    }

    // MARK: A sequence

    func open(_ queue: DatagramQueue) throws(UVError) {
        try checkReceiver("datagrams")
        try handle.watch("datagrams")
        self.queue = queue
        queue.receive(from: handle)
        for wait in waiting {
            wait.finish(
                .failure(
                    UVError(.alreadyInProcess, in: "receive", of: "a UDP socket whose datagrams go to a sequence")))
        }
        waiting = []
    }

    func close(_ queue: DatagramQueue) {
        guard self.queue === queue else { return }
        self.queue = nil
        handle.stopWatching()
    }

    // MARK: Closing

    private func closing() {
        let ended = waiting
        waiting = []
        for wait in ended {
            wait.finish(.failure(UVError(.canceled, in: "receive", of: "a UDP socket that was closed meanwhile")))
        }
        queue?.end()
        queue = nil
    }

    func close() { handle.close() }
}

/// A task that waits for something to take.
final class ReceiveWait: Wait<Void> {
    private unowned let core: UDPCore

    init(_ core: UDPCore) {
        self.core = core
        super.init("receive")
    }

    override func stop() { core.remove(self) }
}
