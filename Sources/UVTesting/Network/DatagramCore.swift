internal import AsyncUV
internal import DequeModule

/// The part of a ``TestDatagramSocket`` that lives on its loop's thread.
final class DatagramCore {
    let address: SocketAddress
    let network: NetworkCore
    private var queue: Deque<Datagram> = []
    private var queued = 0
    private var receivers: Deque<TwinWait> = []
    private var freeAt: LoopClock.Instant
    private(set) var isClosed = false
    private(set) var dropCount = 0

    /// The system's usual size of a socket's buffer.
    private static let room = 212_992
    /// What the system counts for each datagram besides its bytes.
    private static let overhead = 512

    init(_ network: NetworkCore, at address: SocketAddress) {
        self.network = network
        self.address = address
        freeAt = network.now
    }

    func send(_ bytes: [UInt8], to destination: SocketAddress) throws(UVError) {
        if isClosed { throw UVError(.badFileDescriptor, in: "send", of: "\(address)") }
        if bytes.count > 65_507 { throw UVError(.messageTooLong, in: "send", of: "\(bytes.count) bytes") }
        let conditions = network.conditions
        freeAt = max(freeAt, network.now) + conditions.time(for: bytes.count)
        if network.isCut(address, destination) || network.random.happens(conditions.loss) {
            return network.test.trace.note("datagram lost", "\(address) to \(destination)", bytes.count)
        }
        let copies = network.random.happens(conditions.duplication) ? 2 : 1
        for _ in 0..<copies {
            var time = freeAt + conditions.travelTime(&network.random)
            if network.random.happens(conditions.reordering) { time = time + conditions.reorderingDelay }
            network.call(at: time) { [network, address] in
                network.socket(at: destination)?.arrive(Datagram(bytes, Datagram.Info(from: address)))
            }
        }
    }

    private func arrive(_ datagram: Datagram) {
        let size = datagram.bytes.count + Self.overhead
        guard queued + size <= Self.room else {
            dropCount += 1
            return network.test.trace.note("datagram dropped", "\(address)", datagram.bytes.count)
        }
        network.test.trace.note("datagram", "\(datagram.from) to \(address)", datagram.bytes.count)
        queued += size
        queue.append(datagram)
        receivers.popFirst()?.finish()
    }

    func awaitDatagram(_ wait: TwinWait) throws(UVError) {
        if isClosed { throw UVError(.badFileDescriptor, in: "receive", of: "\(address)") }
        if !queue.isEmpty { return wait.finish() }
        receivers.append(wait)
        wait.onCancel = { [weak self, weak wait] in self?.receivers.removeAll { $0 === wait } }
    }

    func take(upTo limit: Int) -> Datagram? {
        guard let datagram = queue.popFirst() else { return nil }
        queued -= datagram.bytes.count + Self.overhead
        if datagram.bytes.count <= limit { return datagram }
        return Datagram(Array(datagram.bytes.prefix(limit)), Datagram.Info(from: datagram.from, isTruncated: true))
    }

    func close() {
        if isClosed { return }
        isClosed = true
        network.remove(self)
        queue = []
        let waits = receivers
        receivers = []
        for wait in waits { wait.finish(throwing: UVError(.canceled, in: "receive", of: "\(address)")) }
    }
}
