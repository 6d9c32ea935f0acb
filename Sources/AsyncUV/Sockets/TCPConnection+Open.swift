public import UV

extension TCPConnection {
    /// Takes over a connected socket that somebody else made: the program that started this one, another library.
    ///
    /// The connection closes it from now on. Small writes wait or not as the socket is set.
    ///
    /// - Throws: ``UVError`` with `.notSocket`, `.protocolWrongTypeForSocket` or `.fileExists` (the loop watches it already): the
    ///   descriptor stays the caller's then. `.socketNotConnected` for a socket without a peer, which is closed.
    ///
    /// Cancellation: a cancelled task takes nothing over.
    public static func open(
        _ descriptor: FileDescriptor, on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPConnection {
        try await make(on: loop) { loop throws(UVError) in
            try StreamHandle.opening(TCPHandle(on: loop)) { handle throws(UVError) in try handle.open(descriptor) }
        }
    }

    /// Goes on with a connection that another process has passed: see ``LocalChannel``.
    ///
    /// - Throws: As ``open(_:on:)-(FileDescriptor,_)``; what could not be taken over stays with `passed`. `.badFileDescriptor` when
    ///   somebody has taken the descriptor.
    public static func open(
        _ passed: PassedDescriptor, on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPConnection {
        try await make(on: loop) { loop throws(UVError) in
            try StreamHandle.opening(TCPHandle(on: loop)) { handle throws(UVError) in
                try passed.give("open") { descriptor throws(UVError) in try handle.open(descriptor) }
            }
        }
    }
}

extension TCPListener {
    /// Goes on with a listener that another process has passed or shares: see ``LocalChannel``. Otherwise as
    /// ``open(_:backlog:on:)-(FileDescriptor,_,_)``.
    ///
    /// - Throws: Also ``UVError`` with `.badFileDescriptor` when somebody has taken the descriptor. What could not be taken over stays
    ///   with `passed`.
    public static func open(
        _ passed: PassedDescriptor, backlog: Int = 1_024, on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPListener {
        try await make(backlog, on: loop) { handle throws(UVError) in
            try passed.give("open") { descriptor throws(UVError) in try handle.open(descriptor) }
            try? handle.setNoDelay(enabled: true)
        }
    }
}
