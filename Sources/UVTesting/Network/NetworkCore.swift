internal import AsyncUV

/// The part of a ``TestNetwork`` that lives on its loop's thread.
final class NetworkCore {
    let test: TestLoop
    var conditions: LinkConditions
    var random: TestRandom
    // Who listens keeps the network, so the network does not keep them: those that are left when the loop has ended are freed.
    private var listeners: [SocketAddress: Weak<AcceptCore>] = [:]
    private var sockets: [SocketAddress: Weak<DatagramCore>] = [:]
    /// How many streams, listeners and datagram sockets may be open; `nil` for no limit.
    var descriptorLimit: Int?
    private(set) var descriptors = 0
    private var failures: [UVError.Code] = []
    private var cuts: Set<Set<String>> = []
    /// What is to be delivered when a cut is mended.
    private var held: [Wire] = []
    private var lastPort: UInt16 = 40_000

    init(_ test: TestLoop, _ conditions: LinkConditions) {
        self.test = test
        self.conditions = conditions
        random = test.makeRandom()
    }

    var now: LoopClock.Instant { test.loop.clock.now }

    /// Calls a closure later, or never when the loop ends before.
    func call(at time: LoopClock.Instant, _ call: @escaping () -> Void) { try? test.loop.call(at: time, call) }

    /// A port that no client has had.
    func makePort() -> UInt16 {
        lastPort = lastPort == .max ? 40_001 : lastPort + 1
        return lastPort
    }

    // MARK: Descriptors

    /// Whether another stream, listener or socket may be opened.
    var hasRoom: Bool { descriptorLimit.map { descriptors < $0 } ?? true }

    func takeDescriptor(_ operation: String, _ subject: String) throws(UVError) {
        if !failures.isEmpty { throw UVError(failures.removeFirst(), in: operation, of: subject) }
        if !hasRoom { throw UVError(.tooManyOpenFiles, in: operation, of: subject) }
        descriptors += 1
    }

    /// For the two sides of a connection that nobody refuses.
    func takePair() { descriptors += 2 }

    func freeDescriptor() {
        descriptors -= 1
        wakeListeners()
    }

    func failNext(_ count: Int, with code: UVError.Code) {
        failures += Array(repeating: code, count: count)
        wakeListeners()
    }

    /// In the order of their addresses, because that of a dictionary is another one in each process.
    private func wakeListeners() {
        for listener in listeners.values.compactMap(\.object).sorted(by: { $0.name < $1.name }) { listener.wake() }
    }

    var hasFailures: Bool { !failures.isEmpty }

    // MARK: Who is there

    func listener(at address: SocketAddress) -> AcceptCore? { listeners[address]?.object }

    func socket(at address: SocketAddress) -> DatagramCore? { sockets[address]?.object }

    func add(_ listener: AcceptCore) throws(UVError) {
        try checkFree(self.listener(at: listener.address) == nil, listener.address)
        try takeDescriptor("bind", "\(listener.address)")
        listeners[listener.address] = Weak(object: listener)
    }

    func remove(_ listener: AcceptCore) {
        if listeners.removeValue(forKey: listener.address) != nil { freeDescriptor() }
    }

    func add(_ socket: DatagramCore) throws(UVError) {
        try checkFree(self.socket(at: socket.address) == nil, socket.address)
        try takeDescriptor("bind", "\(socket.address)")
        sockets[socket.address] = Weak(object: socket)
    }

    func remove(_ socket: DatagramCore) {
        if sockets.removeValue(forKey: socket.address) != nil { freeDescriptor() }
    }

    private func checkFree(_ isFree: Bool, _ address: SocketAddress) throws(UVError) {
        if !isFree { throw UVError(.addressInUse, in: "bind", of: "\(address)") }
    }

    // MARK: Partitions

    func isCut(_ one: SocketAddress, _ other: SocketAddress) -> Bool {
        !cuts.isEmpty && cuts.contains([one.host, other.host])
    }

    func cut(_ one: String, _ other: String) {
        test.trace.note("partition", "\(one) and \(other)")
        cuts.insert([one, other])
    }

    func mend() {
        test.trace.note("heal", "")
        cuts = []
        let wires = held
        held = []
        for wire in wires { wire.deliverHeld() }
    }

    func hold(_ wire: Wire) { held.append(wire) }
}

private struct Weak<Object: AnyObject> {
    weak var object: Object?
}
