public import UV

/// A connection over a local socket (Unix domain), within this machine. Dropping the last reference closes it, as ``close()``
/// does.
///
/// Descriptors that a peer sends over it are closed unseen; ``LocalChannel`` receives them.
public final class LocalConnection: HandleConnection {
    public typealias Handle = PipeHandle

    public let stream: LoopStream
    /// The address of the other side: what was connected to; that of a client is unnamed as a rule.
    public let remoteAddress: LocalAddress
    /// The process at the other end when the connection was made, and its user.
    public let peerCredentials: PeerCredentials

    public init(_ handle: PipeHandle, on loop: EventLoop) throws(UVError) {
        do throws(UVError) {
            remoteAddress = if let peer = handle.peer { peer } else { try handle.remoteAddress }
            peerCredentials = try handle.peerCredentials
        } catch {
            handle.close()
            throw error
        }
        stream = LoopStream(handle, on: loop)
    }

    deinit { stream.drop() }

    /// For people: `local connection with /run/service.sock`, or, where the peer has no address, `with process 4711 of user 1000`.
    public var description: String {
        "local connection with \(remoteAddress.isUnnamed ? peerCredentials.description : remoteAddress.description)"
    }

    /// The address of this side.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.canceled` when the loop has ended.
    public var localAddress: LocalAddress {
        get async throws { try await withHandle { try $0.localAddress } }
    }

    // MARK: Making

    /// Two connections with each other, through the kernel.
    ///
    /// - Throws: ``UVError`` with `.tooManyOpenFiles`, `.canceled` when the loop has ended.
    ///
    /// Cancellation: none; it does not wait.
    ///
    /// Calls `uv_socketpair`.
    public static func pair(
        on loop: EventLoop = .current ?? .shared
    ) async throws -> (LocalConnection, LocalConnection) {
        try await loop.making("pair") { callbackLoop in
            let (near, far) = try PipeHandle.pair(on: callbackLoop)
            do { return (try LocalConnection(near, on: loop), try LocalConnection(far, on: loop)) } catch {
                far.close()
                throw error
            }
        }
    }

    /// Takes over a connected local socket that somebody else made: the program that started this one, another library.
    ///
    /// The connection closes it from now on.
    ///
    /// - Throws: ``UVError`` with `.notSocket`, `.protocolWrongTypeForSocket` for a socket of another kind or family, `.fileExists`
    ///   (the loop watches it already): the descriptor stays the caller's then. `.socketNotConnected` for a socket without a peer,
    ///   which is closed.
    ///
    /// Cancellation: a cancelled task takes nothing over.
    public static func open(
        _ descriptor: FileDescriptor, on loop: EventLoop = .current ?? .shared
    ) async throws -> LocalConnection {
        try await make(on: loop) { loop throws(UVError) in
            try StreamHandle.opening(PipeHandle(on: loop)) { handle throws(UVError) in try handle.openLocal(descriptor)
            }
        }
    }

    /// Goes on with a connection that another process has passed: see ``LocalChannel``.
    ///
    /// - Throws: As ``open(_:on:)-(FileDescriptor,_)``; what could not be taken over stays with `passed`. `.badFileDescriptor` when
    ///   somebody has taken the descriptor.
    public static func open(
        _ passed: PassedDescriptor, on loop: EventLoop = .current ?? .shared
    ) async throws -> LocalConnection {
        try await make(on: loop) { loop throws(UVError) in
            try StreamHandle.opening(PipeHandle(on: loop)) { handle throws(UVError) in
                try passed.give("open") { descriptor throws(UVError) in try handle.openLocal(descriptor) }
            }
        }
    }
}

extension PipeHandle {
    /// Takes over a local socket, and nothing else.
    func openLocal(_ descriptor: FileDescriptor) throws(UVError) {
        try LocalMessage.checkSocket(descriptor)
        try open(descriptor)
    }
}
