public import UV

/// A local socket (Unix domain) that accepts connections from this machine. Dropping the last reference closes it.
///
/// A socket in the file system is a file, which is removed at the close, if it is still the listener's own. Connections wait in
/// the kernel until somebody asks for them, but for a few that are accepted ahead.
public final class LocalListener: Sendable {
    /// The loop that the listener and its connections live on.
    public var loop: EventLoop { listener.loop }
    /// The address that it listens on.
    public let localAddress: LocalAddress
    let listener: LoopListener<PipeHandle, LocalConnection>

    private init(_ handle: PipeHandle, backlog: Int, on loop: EventLoop) throws(UVError) {
        localAddress = try handle.localAddress
        listener = try LoopListener(handle, backlog: backlog, on: loop)
    }

    /// Listens on an address.
    ///
    /// - Parameter permissions: Of the socket's file: who may write to it may connect. They hold before anybody can. `nil` is what
    ///   the process's `umask` leaves of all; for one's own user take `[.ownerRead, .ownerWrite]`.
    /// - Parameter replacingStale: Whether to take the place of a socket's file that nobody listens on any more, such as one that a
    ///   server left behind when it was killed. Who listens is found out by connecting: a server that is alive sees a client come and
    ///   go, and the call throws `.addressInUse`.
    /// - Parameter removesFile: False leaves the file at the close, for a listener that another process goes on with.
    /// - Parameter backlog: How many connections may wait in the kernel; clients beyond are refused, and may try again.
    /// - Throws: ``UVError`` with `.addressInUse`, also for a file that is no socket, `.noSuchFileOrDirectory` without the directory,
    ///   `.permissionDenied`, `.invalidArgument` for a backlog below 1, `.destinationAddressRequired` for an unnamed address.
    ///
    /// Cancellation: a cancelled task listens to nothing.
    ///
    /// Calls `uv_pipe_init` and the system's `bind` and `listen`.
    public static func bind(
        to address: LocalAddress, permissions: FilePermissions? = nil, replacingStale: Bool = false,
        removesFile: Bool = true, backlog: Int = 1_024, on loop: EventLoop = .current ?? .shared
    ) async throws -> LocalListener {
        try await make(backlog, on: loop) { handle throws(UVError) in
            try handle.bind(
                to: address, permissions: permissions, replacingStale: replacingStale, removesFile: removesFile)
        }
    }

    /// Listens on a path. Otherwise as ``bind(to:permissions:replacingStale:removesFile:backlog:on:)``.
    ///
    /// - Throws: Also ``UVError`` with `.fileNameTooLong`.
    public static func bind(
        path: FilePath, permissions: FilePermissions? = nil, replacingStale: Bool = false,
        removesFile: Bool = true, backlog: Int = 1_024, on loop: EventLoop = .current ?? .shared
    ) async throws -> LocalListener {
        try await bind(
            to: LocalAddress(path: path), permissions: permissions, replacingStale: replacingStale,
            removesFile: removesFile, backlog: backlog, on: loop)
    }

    /// Takes over a listening local socket that somebody else made: the program that started this one, another library.
    ///
    /// The listener closes it from now on, and leaves its file.
    ///
    /// - Parameter backlog: Replaces the one that the socket has.
    /// - Throws: ``UVError`` with `.notSocket`, `.protocolWrongTypeForSocket` for a socket of another kind or family, `.fileExists`
    ///   (the loop watches it already): the descriptor stays the caller's then. `.invalidArgument` for a connected socket, which is
    ///   closed.
    public static func open(
        _ descriptor: FileDescriptor, backlog: Int = 1_024, on loop: EventLoop = .current ?? .shared
    ) async throws -> LocalListener {
        try await make(backlog, on: loop) { handle throws(UVError) in try handle.openLocal(descriptor) }
    }

    /// Goes on with a listener that another process has passed or shares: see ``LocalChannel``. Otherwise as
    /// ``open(_:backlog:on:)-(FileDescriptor,_,_)``.
    ///
    /// - Throws: Also ``UVError`` with `.badFileDescriptor` when somebody has taken the descriptor. What could not be taken over stays
    ///   with `passed`.
    public static func open(
        _ passed: PassedDescriptor, backlog: Int = 1_024, on loop: EventLoop = .current ?? .shared
    ) async throws -> LocalListener {
        try await make(backlog, on: loop) { handle throws(UVError) in
            try passed.give("open") { descriptor throws(UVError) in try handle.openLocal(descriptor) }
        }
    }

    /// Listens with a handle that `prepare` gives its socket.
    private static func make(
        _ backlog: Int, on loop: EventLoop, _ prepare: @escaping @Sendable (PipeHandle) throws(UVError) -> Void
    ) async throws -> LocalListener {
        try Task.checkCancellation()
        return try await loop.making("bind") { callbackLoop in
            let handle = try PipeHandle(on: callbackLoop)
            do {
                try prepare(handle)
                return try LocalListener(handle, backlog: backlog, on: loop)
            } catch {
                handle.close()
                throw error
            }
        }
    }

    deinit { listener.drop() }

    /// Takes the next connection; `nil` when the listener has been closed, and none is left of those that it accepted ahead
    /// for a ``serve(maxConnections:idleTimeout:onError:_:)``.
    ///
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` and relatives while the system is out of something; the listener goes on, and
    ///   so should the caller. `.canceled` when the loop ends.
    ///
    /// Cancellation: no connection is lost.
    public func accept() async throws -> LocalConnection? { try await listener.accept() }

    /// Takes the next connection if one comes in time. Otherwise as ``accept()``.
    ///
    /// - Parameter timeout: How long to wait, `nil` for ever. Zero and less wait for nothing but what was accepted ahead.
    /// - Throws: ``UVError`` with `.timedOut`; no connection is lost.
    public func accept(timeout: Duration?) async throws -> LocalConnection? {
        try await listener.accept(within: timeout, of: "\(localAddress)")
    }

    /// The connections as they are asked for; the sequence ends when the listener is closed. It waits through a lack of
    /// descriptors, of which the handler of ``Diagnostics`` is told once a second.
    public var connections: some AsyncSequence<LocalConnection, any Error> & Sendable {
        Connections(listener: listener, owner: self)
    }

    /// The handle's label: a name of the user's own for lists of open handles.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public var label: String? {
        get async throws { try await listener.withHandle { $0.label } }
    }

    /// Gives the handle a label. A listener that is closed has none to give.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public func setLabel(_ label: String?) async throws { try await listener.withHandle { $0.label = label } }

    /// Stops listening and removes the socket's file; connections that wait in the kernel are refused, those accepted live on. The
    /// few accepted ahead are served if there is a ``serve(maxConnections:idleTimeout:onError:_:)``, else closed. Closing twice is
    /// harmless.
    public func close() async { await listener.close() }
}

extension LocalListener {
    /// Serves each connection in a child task on the loop and closes it when the handler ends.
    ///
    /// All is as with ``TCPListener/serve(maxConnections:idleTimeout:onError:_:)``: an error of a handler ends its connection only;
    /// after ``close()`` no new connections come, those there are served to their end, and the call returns; reads that are
    /// `untilDraining` find the end of the stream then. Cancelling the task cancels all handlers.
    ///
    /// - Parameter maxConnections: More wait: up to 32 accepted ahead, with their descriptors, the others in the kernel.
    /// - Parameter idleTimeout: Set on each connection: see ``StreamConnection/setIdleTimeout(_:)``.
    /// - Parameter onError: Gets what a handler threw, with the connection's process, and a lack of descriptors or the like, without
    ///   one. By default it goes to the handler of ``Diagnostics``, but for peers that vanished and cancelled handlers.
    /// - Throws: `CancellationError` when cancelled, ``UVError`` with `.canceled` when the loop ends, `.invalidArgument` for
    ///   fewer connections than one and an idle timeout that is not positive.
    public func serve(
        maxConnections: Int = .max,
        idleTimeout: Duration? = nil,
        onError: @escaping @Sendable (any Error, PeerCredentials?) -> Void = LocalListener.report,
        _ handler: @escaping @Sendable (LocalConnection) async throws -> Void
    ) async throws {
        try await listener.serve(
            maxConnections: maxConnections, idleTimeout: idleTimeout, onError: { onError($0, $1?.peerCredentials) },
            handler)
    }

    /// What ``serve(maxConnections:idleTimeout:onError:_:)`` does with errors by default. As ``TCPListener/report``.
    public static let report: @Sendable (any Error, PeerCredentials?) -> Void = { error, peer in
        ServeReport.write(error, of: peer?.description)
    }
}

extension LocalListener: CustomStringConvertible {
    /// For people: `local listener on /run/service.sock`.
    public var description: String { "local listener on \(localAddress)" }
}
