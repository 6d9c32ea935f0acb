internal import UV

extension TCPListener {
    /// Listens on the sockets that the service manager has opened (socket activation, `LISTEN_FDS`): those that listen by TCP, in its
    /// order. Empty in a process that was started in another way, and for a second call.
    ///
    /// - Parameter name: Takes those with this `FileDescriptorName=`; `nil` takes all.
    /// - Parameter backlog: Replaces the one that the sockets have.
    /// - Throws: ``UVError`` with `.invalidArgument` or `.badFileDescriptor` when the environment makes no sense, else as
    ///   `open(_:backlog:on:)`.
    public static func activated(
        named name: String? = nil, backlog: Int = 1_024, on loop: EventLoop = .current ?? .shared
    ) async throws -> [TCPListener] {
        var listeners: [TCPListener] = []
        for socket in try ServiceManager.takeSockets(named: name, kind: .tcpListener) {
            listeners.append(
                try await make(backlog, on: loop) { handle throws(UVError) in
                    try socket.descriptor.give("open") { descriptor throws(UVError) in try handle.open(descriptor) }
                    try handle.setNoDelay(enabled: true)
                })
        }
        return listeners
    }
}

extension LocalListener {
    /// Listens on the local sockets that the service manager has opened. Otherwise as ``TCPListener/activated(named:backlog:on:)``; the
    /// sockets' files stay.
    public static func activated(
        named name: String? = nil, backlog: Int = 1_024, on loop: EventLoop = .current ?? .shared
    ) async throws -> [LocalListener] {
        var listeners: [LocalListener] = []
        for socket in try ServiceManager.takeSockets(named: name, kind: .localListener) {
            listeners.append(try await open(socket.descriptor, backlog: backlog, on: loop))
        }
        return listeners
    }
}

extension UDPSocket {
    /// Goes on with the UDP sockets that the service manager has opened. Otherwise as ``TCPListener/activated(named:backlog:on:)``.
    ///
    /// - Throws: Also ``UVError`` with `.addressFamilyNotSupported` when a local socket for datagrams is among them.
    public static func activated(
        named name: String? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> [UDPSocket] {
        var sockets: [UDPSocket] = []
        for socket in try ServiceManager.takeSockets(named: name, kind: .datagramSocket) {
            sockets.append(
                try await make("open", reports: nil, on: loop) { handle throws(UVError) in
                    try socket.descriptor.give("open") { descriptor throws(UVError) in try handle.open(descriptor) }
                })
        }
        return sockets
    }
}

extension EventLoop {
    /// Tells the service manager that the process is alive, as long as this loop turns, twice in the time that the manager allows
    /// (`WATCHDOG_USEC`): a loop that hangs gets the process restarted. Runs until the task is cancelled; returns at once if the manager
    /// does not want to hear.
    ///
    /// - Throws: `CancellationError`, ``UVError`` with `.canceled` when the loop ends. A message that does not arrive is told to
    ///   ``Diagnostics``, and the next one is tried.
    public func feedWatchdog() async throws {
        guard let interval = ServiceManager.watchdogInterval, ServiceManager.isListening else { return }
        while true {
            try await withLoop { _ in
                do throws(UVError) { try ServiceManager.notify(.alive) } catch {
                    Diagnostics.report(.warning, "the watchdog was not told: \(error)")
                }
            }
            try await sleep(for: interval / 2)
        }
    }
}
