public import AsyncUV

/// A network in memory, on the loop of a test: listeners, connections and datagrams with the latency, bandwidth, losses and failures
/// that a test wants. What happens by chance depends on the run's seed alone.
///
/// Machines are their addresses: `10.0.0.1` is where clients are unless told otherwise. What is not `async` is for code on the
/// loop; elsewhere it traps.
public final class TestNetwork: Sendable {
    /// The address of clients that say nothing else.
    public static let clientHost = "10.0.0.1"
    /// How long a connect to nowhere takes before it fails, as on Linux.
    private static let connectTime = Duration.seconds(127)

    /// The loop of the test.
    public let loop: EventLoop
    private let bound: Bound<NetworkCore>
    private var core: NetworkCore { bound.open(on: loop) }

    /// A network without anybody. On the loop of the test.
    public init(_ test: TestLoop, conditions: LinkConditions = LinkConditions()) {
        loop = test.loop
        bound = Bound(NetworkCore(test, conditions))
    }

    /// How bytes and datagrams travel: of connections that are made from now on, and of all datagrams.
    public var conditions: LinkConditions {
        get { core.conditions }
        set { core.conditions = newValue }
    }

    // MARK: Streams

    /// Listens at an address, such as that of `SocketAddress(host: "10.0.0.2", port: 80)`; port 0 is another number each time.
    ///
    /// - Parameter backlog: How many connections may wait to be accepted. More are not answered.
    /// - Throws: `UVError` with `.addressInUse`, `.tooManyOpenFiles` at the ``descriptorLimit``, or what
    ///   ``failNext(_:with:)`` says.
    public func listen(at address: SocketAddress, backlog: Int = 1_024) throws(UVError) -> TestListener {
        let listener = AcceptCore(core, at: try withPort(address), backlog: backlog)
        try core.add(listener)
        return TestListener(listener)
    }

    private func withPort(_ address: SocketAddress) throws(UVError) -> SocketAddress {
        address.port == 0 ? try SocketAddress(host: address.host, port: core.makePort()) : address
    }

    /// Connects to a listener, which takes twice the latency.
    ///
    /// - Parameter host: Where the client is.
    /// - Parameter conditions: How the bytes of this connection travel; `nil` for those of the network.
    /// - Parameter timeout: How long to wait; 127 s unless told otherwise.
    /// - Throws: `UVError` with `.connectionRefused` where nobody listens, `.timedOut` where a partition lies between or the listener's
    ///   backlog is full, `.tooManyOpenFiles` at the ``descriptorLimit``, or what ``failNext(_:with:)`` says.
    ///
    /// Cancellation: nothing is connected.
    public func connect(
        to address: SocketAddress, from host: String = clientHost, conditions: LinkConditions? = nil,
        timeout: Duration? = nil
    ) async throws -> TestConnection {
        try await loop.withLoop { [bound, loop] _ in
            try bound.open(on: loop).takeDescriptor("connect", "\(address)")
        }
        let result = Bound(Connecting())
        do {
            try await loop.wait("connect", of: "\(address)", within: timeout ?? Self.connectTime) {
                [bound, loop] wait in
                let core = bound.open(on: loop)
                let local = try SocketAddress(host: host, port: core.makePort())
                result.open(on: loop).begin(core, conditions ?? core.conditions, from: local, to: address, wait)
            }
        } catch {
            if loop.isCurrent { core.freeDescriptor() }
            throw error
        }
        guard let connection = try await loop.withLoop({ [loop] _ in result.open(on: loop).connection }) else {
            throw UVError(.connectionRefused, in: "connect", of: "\(address)")
        }
        return connection
    }

    /// Both sides of a connection at once, for a test of a handler: the client's and the server's.
    public func pair(conditions: LinkConditions? = nil) -> (client: TestConnection, server: TestConnection) {
        let core = core
        let client = SocketAddress.test(TestNetwork.clientHost, core.makePort())
        let server = SocketAddress.test("10.0.0.2", 80)
        let (there, back) = core.makeWires(conditions ?? core.conditions, from: client, to: server)
        core.takePair()
        return (
            TestConnection(core, local: client, remote: server, outgoing: there, incoming: back),
            TestConnection(core, local: server, remote: client, outgoing: back, incoming: there)
        )
    }

    // MARK: Datagrams

    /// Opens a socket for datagrams; port 0 is another number each time.
    ///
    /// - Throws: As ``listen(at:backlog:)``.
    public func bindDatagrams(at address: SocketAddress) throws(UVError) -> TestDatagramSocket {
        let socket = DatagramCore(core, at: try withPort(address))
        try core.add(socket)
        return TestDatagramSocket(socket)
    }

    // MARK: Failures

    /// How many connections, listeners and sockets may be open: more find `.tooManyOpenFiles`. `nil`, as at first, for no limit. A
    /// ``pair(conditions:)`` is counted, and never refused.
    public var descriptorLimit: Int? {
        get { core.descriptorLimit }
        set { core.descriptorLimit = newValue }
    }

    /// How many connections, listeners and sockets are open: none at the end of a test that leaves nothing open.
    public var descriptorCount: Int { core.descriptors }

    /// Makes the next so many accepts, connects, listeners and sockets fail, in whatever order they come.
    public func failNext(_ count: Int = 1, with code: UVError.Code) { core.failNext(count, with: code) }

    /// Cuts all ways between two machines, until ``heal()``: what streams carry waits, datagrams are lost, and connects hang.
    public func partition(_ one: String, _ other: String) { core.cut(one, other) }

    /// Mends all partitions: what streams carry goes on.
    public func heal() { core.mend() }
}

/// A connect that is under way.
private final class Connecting {
    private(set) var connection: TestConnection?

    func begin(
        _ core: NetworkCore, _ conditions: LinkConditions, from local: SocketAddress, to remote: SocketAddress,
        _ wait: TwinWait
    ) {
        var isOver = false
        wait.onCancel = { isOver = true }
        let latency = conditions.latency
        core.call(at: core.now + latency) {
            if isOver || core.isCut(local, remote) { return }
            let listener = core.listener(at: remote)
            if let listener, !listener.hasRoom { return }
            core.call(at: core.now + latency) { [self] in
                if isOver || core.isCut(local, remote) { return }
                guard let listener, !listener.isClosed else { return wait.finish(throwing: refused(remote)) }
                let (there, back) = core.makeWires(conditions, from: local, to: remote)
                connection = TestConnection(core, local: local, remote: remote, outgoing: there, incoming: back)
                core.test.trace.note("connect", there.name)
                core.call(at: core.now + latency) {
                    listener.add(AcceptCore.Waiting(remote: local, outgoing: back, incoming: there))
                }
                wait.finish()
            }
        }
    }

    private func refused(_ address: SocketAddress) -> UVError {
        UVError(.connectionRefused, in: "connect", of: "\(address)")
    }
}

extension NetworkCore {
    /// Both directions between two addresses.
    fileprivate func makeWires(
        _ conditions: LinkConditions, from: SocketAddress, to: SocketAddress
    ) -> (there: Wire, back: Wire) {
        let there = Wire(self, conditions, from: from, to: to)
        let back = Wire(self, conditions, from: to, to: from)
        there.back = back
        back.back = there
        return (there, back)
    }
}

extension SocketAddress {
    /// An address that is one.
    fileprivate static func test(_ host: String, _ port: UInt16) -> Self {
        (try? SocketAddress(host: host, port: port)) ?? .loopback(port: port)
    }
}
