public import UV

/// The datagrams that come to a UDP socket, as a sequence: see ``UDPSocket/datagrams(queue:upTo:overflow:)``.
///
/// An element is a datagram, or an error that the network or the system reports and after which receiving goes on. The sequence
/// ends when the socket is closed, after the elements that wait. With the last reference to it, receiving stops, and what waits is
/// dropped.
public final class UDPDatagrams: AsyncSequence, Sendable {
    public typealias Element = Result<Datagram, UVError>

    private let socket: UDPSocket
    private let queue: LoopBound<DatagramQueue>

    init(_ queue: DatagramQueue, of socket: UDPSocket) {
        self.socket = socket
        self.queue = LoopBound(queue)
    }

    deinit {
        let (core, queue, loop) = (socket.core, queue, socket.loop)
        if loop.isCurrent {
            core.open(on: loop).close(queue.open(on: loop))
        } else {
            loop.post { core.open(on: loop).close(queue.open(on: loop)) }
        }
    }

    /// How many datagrams the queue has had no room for. Those that the system has dropped before are not among them:
    /// see ``UDPSocket/systemDropCount``.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    public var dropCount: Int {
        get async throws { try await socket.loop.withLoop { _ in queue.open(on: socket.loop).dropCount } }
    }

    /// Waits for the next element; `nil` when the socket has been closed.
    ///
    /// - Throws: `CancellationError`, or ``UVError`` with `.canceled` when the loop ends.
    ///
    /// Cancellation: nothing is lost.
    public func next() async throws -> Element? {
        let loop = socket.loop
        if loop.hostsCurrentTask {
            try checkCancellation()
            if let element = queue.open(on: loop).takeNow() {
                if loop.charge(Cost.memory) { await loop.giveWay() }
                return element
            }
        }
        return try await loop.perform("receive") { _, wait in self.queue.open(on: loop).take(wait) }
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let datagrams: UDPDatagrams

        public func next() async throws -> Element? { try await datagrams.next() }

        // As in StreamChunks.
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> Element? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(datagrams: self) }
}
