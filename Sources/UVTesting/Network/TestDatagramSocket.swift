public import AsyncUV

/// A socket for datagrams of a ``TestNetwork``, which loses, doubles and reorders them as its ``LinkConditions`` say: the shape of a
/// `UDPSocket`. Dropping the last reference closes it.
public final class TestDatagramSocket: Sendable, CustomStringConvertible {
    /// The loop of the test.
    public let loop: EventLoop
    /// The address that others send to.
    public let localAddress: SocketAddress
    private let core: Bound<DatagramCore>

    init(_ core: DatagramCore) {
        loop = core.network.test.loop
        localAddress = core.address
        self.core = Bound(core)
    }

    deinit { core.drop(on: loop) { $0.close() } }

    /// For people: `datagram socket on 10.0.0.2:53`.
    public var description: String { "datagram socket on \(localAddress)" }

    /// Sends a datagram. Nobody tells whether it arrives.
    ///
    /// - Throws: `UVError` with `.messageTooLong` for more than 65,507 bytes, `.badFileDescriptor` when closed.
    public func send(_ bytes: [UInt8], to address: SocketAddress) async throws {
        try Task.checkCancellation()
        try await loop.withLoop { _ in try core.open(on: loop).send(bytes, to: address) }
    }

    /// Sends a text in UTF-8. Otherwise as ``send(_:to:)-([UInt8],_)``.
    public func send(_ text: String, to address: SocketAddress) async throws {
        try await send(Array(text.utf8), to: address)
    }

    /// Takes the next datagram. Several tasks may wait; who waits longest gets the next one.
    ///
    /// - Parameter limit: The most bytes; of a longer datagram the rest is lost, and it is marked as truncated.
    /// - Parameter timeout: How long to wait, `nil` for ever.
    /// - Throws: `UVError` with `.timedOut`, `.badFileDescriptor` when closed, `.canceled` when it is closed meanwhile or its loop
    ///   ends, `.invalidArgument` for a limit below 1.
    ///
    /// Cancellation: nothing has been received.
    public func receive(upTo limit: Int = 65_536, timeout: Duration? = nil) async throws -> Datagram {
        guard limit > 0 else { throw UVError(.invalidArgument, in: "receive", of: "\(limit) bytes") }
        let end = timeout.map { loop.clock.now.advanced(by: $0) }
        while true {
            try await loop.wait("receive", of: "\(localAddress)", within: end.map { $0 - loop.clock.now }) {
                try core.open(on: loop).awaitDatagram($0)
            }
            if let datagram = try await loop.withLoop({ _ in core.open(on: loop).take(upTo: limit) }) {
                return datagram
            }
        }
    }

    /// How many datagrams were lost because nobody took those before them: the socket keeps about 212 KB.
    ///
    /// - Throws: `UVError` with `.canceled` when the loop has ended.
    public var dropCount: Int {
        get async throws { try await loop.withLoop { _ in core.open(on: loop).dropCount } }
    }

    /// Closes the socket. Pending operations end with `.canceled`. Closing twice is harmless.
    public func close() async { try? await loop.withLoop { _ in core.open(on: loop).close() } }
}
