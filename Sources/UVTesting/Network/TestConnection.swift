public import AsyncUV

/// One side of a connection in memory: a ``AsyncUV/ByteStream`` whose bytes travel as the ``LinkConditions`` say.
///
/// ``close()`` is as that of a real connection: the other side gets what was written, and may write for two seconds more before it
/// finds the connection reset. Dropping the last reference closes it.
public final class TestConnection: ByteStream, CustomStringConvertible {
    /// The loop of the test.
    public let loop: EventLoop
    /// The address of this side.
    public let localAddress: SocketAddress
    /// The address of the other side.
    public let remoteAddress: SocketAddress
    private let name: String
    private let core: Bound<StreamCore>
    /// Whether a call that is done at once gives way now and then, so that a seed decides what runs next.
    private let givesWay: Bool

    /// What both sides of a connection are made of.
    final class StreamCore {
        let outgoing: Wire
        let incoming: Wire
        private let network: NetworkCore
        private(set) var isClosed = false

        init(_ network: NetworkCore, outgoing: Wire, incoming: Wire) {
            self.network = network
            self.outgoing = outgoing
            self.incoming = incoming
        }

        enum End {
            case close
            case reset
            case vanish
        }

        func close(_ end: End) {
            if isClosed { return }
            isClosed = true
            network.test.trace.note("\(end)", outgoing.name)
            outgoing.closeNear(sendingEnd: end == .close)
            if end == .reset { outgoing.sendReset() }
            if end == .vanish { outgoing.mute() }
            incoming.closeFar(isAnswered: end == .close)
            network.freeDescriptor()
        }

        /// Whether a call gives way although it is done.
        func givesWay() -> Bool { network.random.happens(0.25) }
    }

    /// The descriptor is taken already.
    init(_ network: NetworkCore, local: SocketAddress, remote: SocketAddress, outgoing: Wire, incoming: Wire) {
        loop = network.test.loop
        localAddress = local
        remoteAddress = remote
        givesWay = network.test.seed != nil
        name = "\(local) to \(remote)"
        core = Bound(StreamCore(network, outgoing: outgoing, incoming: incoming))
    }

    deinit { core.drop(on: loop) { $0.close(.close) } }

    /// For people: `connection from 10.0.0.1:40001 to 10.0.0.2:80`.
    public var description: String { "connection from \(name)" }

    // MARK: Reading

    public func read(upTo limit: Int) async throws -> [UInt8]? {
        guard limit > 0 else { throw UVError(.invalidArgument, in: "read", of: "\(limit) bytes") }
        try await mayGiveWay()
        while true {
            try await loop.wait("read", of: name) { try core.open(on: loop).incoming.awaitBytes($0) }
            if let bytes = try await loop.withLoop({ _ in
                try core.open(on: loop).incoming.read(upTo: Swift.min(limit, 65_536))
            }) {
                return bytes.isEmpty ? nil : bytes
            }
        }
    }

    public func unread(_ bytes: [UInt8]) async throws {
        try await loop.withLoop { _ in core.open(on: loop).incoming.unread(bytes) }
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let connection: TestConnection

        public func next() async throws -> [UInt8]? { try await connection.read(upTo: 65_536) }

        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> [UInt8]? {
            try await connection.read(upTo: 65_536)
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connection: self) }

    // MARK: Writing

    public func write(_ bytes: [UInt8]) async throws {
        try await loop.wait("write", of: name) { try core.open(on: loop).outgoing.write(bytes, $0) }
        await giveWayNowAndThen()
    }

    public func write(contentsOf chunks: [[UInt8]]) async throws { try await write(Array(chunks.joined())) }

    public func finishWriting() async throws {
        try await loop.wait("finishWriting", of: name) { try core.open(on: loop).outgoing.finish($0) }
    }

    // MARK: The end

    public func close() async { await end(.close) }

    /// Breaks the connection: the other side finds it reset, after what is under way.
    public func reset() async { await end(.reset) }

    /// Leaves without a word, as a machine whose power fails: the other side is half open. It hears nothing any more, and its writes
    /// wait when the buffer is full.
    public func vanish() async { await end(.vanish) }

    private func end(_ end: StreamCore.End) async { try? await loop.withLoop { _ in core.open(on: loop).close(end) } }

    // MARK: Giving way

    private func mayGiveWay() async throws {
        try Task.checkCancellation()
        await giveWayNowAndThen()
    }

    private func giveWayNowAndThen() async {
        if givesWay, loop.isCurrent, core.open(on: loop).givesWay() { await Task.yield() }
    }
}
