internal import DequeModule
public import UV

/// A TCP socket that accepts connections. Dropping the last reference closes it.
///
/// Connections wait in the kernel until somebody asks for them, but for a few that are accepted ahead.
public final class TCPListener: Sendable {
    /// The loop that the listener and its connections live on.
    public let loop: EventLoop
    /// The address that it listens on, with the port that the system chose for 0.
    public let localAddress: SocketAddress
    let core: LoopBound<ListenerCore>

    private init(_ handle: TCPHandle, on loop: EventLoop) throws(UVError) {
        self.loop = loop
        localAddress = try handle.localAddress
        core = LoopBound(ListenerCore(handle, loop.core.open(on: loop).servers))
    }

    /// Listens on an address of this machine.
    ///
    /// - Parameter host: A numeric address, or a name, whose first address is taken.
    /// - Parameter port: 0 lets the system choose: see ``localAddress``.
    /// - Parameter backlog: How many connections may wait in the kernel.
    /// - Parameter reusePort: Lets several listeners share the address: the kernel spreads the connections.
    /// - Parameter ipv6Only: Whether `::` leaves IPv4 to others.
    /// - Throws: ``UVError`` with `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.invalidArgument` for a backlog
    ///   below 1 or a name that cannot be one, or what the look-up of the name failed with.
    ///
    /// Cancellation: nothing listens.
    ///
    /// Calls `uv_tcp_init` and the system's `bind` and `listen`.
    public static func bind(
        host: String, port: UInt16, backlog: Int = 1_024, reusePort: Bool = false, ipv6Only: Bool = false,
        on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPListener {
        let addresses = try await Resolver.addresses(of: host, port: port, on: loop)
        return try await bind(
            to: addresses[0], backlog: backlog, reusePort: reusePort, ipv6Only: ipv6Only, on: loop)
    }

    /// Listens on an address of this machine. Otherwise as ``bind(host:port:backlog:reusePort:ipv6Only:on:)``.
    public static func bind(
        to address: SocketAddress, backlog: Int = 1_024, reusePort: Bool = false, ipv6Only: Bool = false,
        on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPListener {
        try await make(backlog, on: loop) { handle throws(UVError) in
            try handle.bind(to: address, ipv6Only: ipv6Only, reusePort: reusePort)
        }
    }

    /// Takes over a listening socket that somebody else made: the program that started this one, another library.
    ///
    /// The listener closes it from now on.
    ///
    /// - Parameter backlog: Replaces the one that the socket has.
    /// - Throws: ``UVError`` with `.notSocket` or `.fileExists` (the loop watches it already): the descriptor stays the
    ///   caller's then. `.invalidArgument` for a connected socket, which is closed.
    public static func open(
        _ descriptor: FileDescriptor, backlog: Int = 1_024, on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPListener {
        try await make(backlog, on: loop) { handle throws(UVError) in try handle.open(descriptor) }
    }

    /// Listens with a handle that `prepare` gives its socket.
    private static func make(
        _ backlog: Int, on loop: EventLoop, _ prepare: @escaping @Sendable (TCPHandle) throws(UVError) -> Void
    ) async throws -> TCPListener {
        try Task.checkCancellation()
        return try await loop.withLoop { callbackLoop in
            if loop.core.open(on: loop).isEnding { throw loop.ended("bind") }
            let handle = try TCPHandle(on: callbackLoop)
            do {
                try prepare(handle)
                let listener = try TCPListener(handle, on: loop)
                try listener.core.open(on: loop).listen(backlog)
                return listener
            } catch {
                handle.close()
                throw error
            }
        }
    }

    deinit {
        let core = core
        let loop = loop
        if loop.isCurrent { core.open(on: loop).close() } else { loop.post { core.open(on: loop).close() } }
    }

    /// Takes the next connection; `nil` when the listener has been closed, and none is left of those that it accepted ahead
    /// for a ``serve(maxConnections:onError:_:)``.
    ///
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` and relatives while the system is out of something, `.notPermitted`
    ///   when a firewall forbids a connection; the listener goes on, and so should the caller. `.canceled` when the loop ends.
    ///
    /// Cancellation: no connection is lost.
    public func accept() async throws -> TCPConnection? {
        while true {
            let handle = try await loop.perform("accept") { _, pending in
                self.core.open(on: self.loop).take(pending)
            }
            guard let handle else { return nil }
            // A peer that is gone already is not the listener's failure.
            let connection = try await loop.withLoop { _ in
                try? TCPConnection(handle.open(on: self.loop), on: self.loop)
            }
            if let connection { return connection }
        }
    }

    /// The connections as they are asked for; the sequence ends when the listener is closed. It waits through a lack of
    /// descriptors in silence: ``serve(maxConnections:onError:_:)`` tells.
    public var connections: Connections { Connections(listener: self) }

    /// Stops listening; connections that wait in the kernel are refused, those accepted live on. The few accepted ahead are
    /// served if there is a ``serve(maxConnections:onError:_:)``, else closed. Closing twice is harmless.
    public func close() async {
        if loop.isCurrent { return core.open(on: loop).close() }
        try? await loop.hop { self.core.open(on: self.loop).close() }
    }
}

extension TCPListener: CustomStringConvertible {
    /// For people: `TCP listener on 127.0.0.1:7000`.
    public var description: String { "TCP listener on \(localAddress)" }
}

extension TCPListener {
    /// See ``TCPListener/connections``.
    public struct Connections: AsyncSequence, Sendable {
        public typealias Element = TCPConnection
        let listener: TCPListener

        public struct AsyncIterator: AsyncIteratorProtocol {
            let listener: TCPListener

            public func next() async throws -> TCPConnection? {
                while true {
                    do { return try await listener.accept() } catch let error as UVError where error.isPassing {}
                }
            }

            // As in TCPConnection's.
            public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> TCPConnection? {
                try await next()
            }
        }

        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(listener: listener) }
    }
}

extension UVError {
    /// Whether accepting goes on: the system is out of something for now, or its firewall forbids one connection.
    var isPassing: Bool {
        [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory, .notPermitted].contains(code)
    }
}

/// The part of a listener that lives on its loop's thread.
final class ListenerCore {
    /// How many connections are accepted before anybody asks.
    private static let ahead = 32

    private let handle: TCPHandle
    private let servers: Servers
    private var accepted: Deque<Result<TCPHandle, UVError>> = []
    private var waiting: Deque<Wait<LoopBound<TCPHandle>?>> = []
    private var isPaused = false
    /// How many calls of ``TCPListener/serve(maxConnections:onError:_:)`` take connections.
    private var serving = 0

    init(_ handle: TCPHandle, _ servers: Servers) {
        self.handle = handle
        self.servers = servers
    }

    func listen(_ backlog: Int) throws(UVError) {
        try handle.listen(backlog: backlog) { [weak self] _, connection in
            if let self { arrived(connection) } else if case .success(let handle) = connection { handle.close() }
        }
        servers.add(self)
    }

    private func arrived(_ connection: Result<TCPHandle, UVError>) {
        while let pending = waiting.popFirst() {
            if hand(connection, to: pending) { return }
        }
        if case .failure = connection, case .failure? = accepted.last { return }
        accepted.append(connection)
        guard accepted.count >= Self.ahead, !isPaused else { return }
        isPaused = true
        handle.pauseAccepting()
    }

    private func hand(_ connection: Result<TCPHandle, UVError>, to pending: Wait<LoopBound<TCPHandle>?>) -> Bool {
        switch connection {
        case .success(let handle): pending.finish(.success(LoopBound(handle)))
        case .failure(let error): pending.finish(.failure(error))
        }
    }

    func take(_ pending: Wait<LoopBound<TCPHandle>?>) {
        if let connection = accepted.popFirst() {
            _ = hand(connection, to: pending)
            if isPaused, accepted.isEmpty {
                isPaused = false
                try? handle.resumeAccepting()
            }
        } else if handle.isClosing {
            pending.finish(.success(nil))
        } else {
            waiting.append(pending)
            pending.onCancel = { [unowned self, unowned pending] in
                if let index = waiting.firstIndex(where: { $0 === pending }) { waiting.remove(at: index) }
            }
        }
    }

    func beginServing() {
        serving += 1
        servers.begin()
    }

    func endServing() {
        serving -= 1
        if handle.isClosing { close() }
        servers.end()
    }

    func close() {
        servers.remove(self)
        handle.close()
        if serving == 0 { dropAccepted() }
        let waiting = waiting
        self.waiting = []
        for pending in waiting { pending.finish(.success(nil)) }
    }

    private func dropAccepted() {
        for case .success(let handle) in accepted { handle.close() }
        accepted = []
    }
}
