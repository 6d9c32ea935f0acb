internal import Synchronization
public import UV

/// Several loops, one a processor, for servers that need more than one.
///
/// A connection stays on the loop that accepted it. Shut the group down when it is no longer needed.
public final class EventLoopGroup: Sendable {
    /// The loops, each with a thread of its own.
    public let loops: [EventLoop]
    private let turn = Atomic<Int>(0)

    /// Starts loops.
    ///
    /// - Parameters:
    ///   - count: By default as many as the process is granted processors, container limits included.
    ///   - label: A name of your own: the loops are called so, with a number.
    /// - Throws: ``UVError`` with `.invalidArgument` for a count below 1, `.tooManyOpenFiles` when the system refuses; no
    ///   loop is left running then.
    public init(count: Int = Processors.granted, label: String? = nil) async throws {
        guard count > 0 else { throw UVError(.invalidArgument, in: "loop group creation", of: "\(count) loops") }
        var loops: [EventLoop] = []
        do {
            for number in 1...count { loops.append(try EventLoop(label: label.map { "\($0) \(number)" })) }
        } catch {
            for loop in loops { await loop.shutdown() }
            throw error
        }
        self.loops = loops
    }

    /// The next loop, in turn.
    public func next() -> EventLoop {
        let turn = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return loops[Int(UInt(bitPattern: turn) % UInt(loops.count))]
    }

    /// Listens on one address with every loop (SO_REUSEPORT): the kernel spreads the connections.
    ///
    /// - Parameter port: 0 lets the system choose one for all.
    ///
    /// Parameters and errors as of ``TCPListener/bind(host:port:family:backlog:reusePort:ipv6Only:options:on:)``.
    public func bind(
        host: String, port: UInt16, family: SocketAddress.Family? = nil, backlog: Int = 1_024, ipv6Only: Bool = false,
        options: TCPOptions = TCPOptions()
    ) async throws -> [TCPListener] {
        let first = try await TCPListener.bind(
            host: host, port: port, family: family, backlog: backlog, reusePort: true, ipv6Only: ipv6Only,
            options: options, on: loops[0])
        var listeners = [first]
        for loop in loops.dropFirst() {
            listeners.append(
                try await TCPListener.bind(
                    to: first.localAddress, backlog: backlog, reusePort: true, ipv6Only: ipv6Only, options: options,
                    on: loop))
        }
        return listeners
    }

    /// Serves the connections of all listeners, each on its loop, until all are closed or the task is cancelled.
    ///
    /// Otherwise as ``TCPListener/serve(maxConnections:idleTimeout:onError:_:)``.
    ///
    /// - Parameter maxConnections: For each listener. The kernel decides which listener gets a connection, and does not move the
    ///   connection to another one when that listener is full.
    public static func serve(
        _ listeners: [TCPListener],
        maxConnections: Int = .max,
        idleTimeout: Duration? = nil,
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TCPListener.report,
        _ handler: @escaping @Sendable (TCPConnection) async throws -> Void
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for listener in listeners {
                group.addTask(executorPreference: listener.loop) {
                    try await listener.serve(
                        maxConnections: maxConnections, idleTimeout: idleTimeout, onError: onError, handler)
                }
            }
        }
    }

    /// Ends all loops, at the same time: see ``EventLoop/shutdown(grace:)``.
    ///
    /// - Parameter grace: How long clients may still be served, while no new ones are accepted. Zero cuts them off.
    public func shutdown(grace: Duration = .zero) async {
        await withDiscardingTaskGroup { group in
            for loop in loops { group.addTask { await loop.shutdown(grace: grace) } }
        }
    }
}
