public import UV

// Each of these throws `.badFileDescriptor` when the socket is closed (but for the label), and `.canceled` when the loop has ended. None waits.
extension UDPSocket {
    /// The handle's label: a name of the user's own for lists of open handles.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public var label: String? {
        get async throws { try await withHandle { $0.label } }
    }

    /// Gives the handle a label: a name of the user's own for lists of open handles.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public func setLabel(_ label: String?) async throws { try await withHandle { $0.label = label } }

    /// Allows datagrams to broadcast addresses; the system refuses them otherwise.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public func setBroadcast(enabled: Bool) async throws {
        try await withHandle { try $0.setBroadcast(enabled: enabled) }
    }

    /// Sets how many routers a datagram may pass.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for numbers other than 1 to 255.
    public func setTTL(_ hops: Int) async throws { try await withHandle { try $0.setTTL(hops) } }

    /// Sets how many routers a datagram to a group may pass; 1 at first, which is none.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for numbers other than 0 to 255.
    public func setMulticastTTL(_ hops: Int) async throws { try await withHandle { try $0.setMulticastTTL(hops) } }

    /// Lets datagrams to a group come to receivers on this machine, too; on at first.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public func setMulticastLoop(enabled: Bool) async throws {
        try await withHandle { try $0.setMulticastLoop(enabled: enabled) }
    }

    /// Chooses the interface that datagrams to groups leave by; `nil` leaves it to the system.
    ///
    /// - Throws: ``UVError`` with `.operationNotSupportedByDevice` when there is no such interface.
    public func setMulticastInterface(_ interface: MulticastInterface?) async throws {
        try await withHandle { try $0.setMulticastInterface(interface) }
    }

    /// Joins a group: the socket, bound to the group's port, receives what is sent to it.
    ///
    /// - Parameter group: The group's address; its port does not count.
    /// - Parameter interface: Where to listen; `nil` leaves it to the system.
    /// - Throws: ``UVError`` with `.invalidArgument` for an address that is no group, `.addressInUse` when the socket is in the
    ///   group, `.operationNotSupportedByDevice` when there is no such interface, or none for groups.
    public func join(_ group: SocketAddress, on interface: MulticastInterface? = nil) async throws {
        try await withHandle { try $0.join(group, on: interface) }
    }

    /// Joins a group for what one sender sends to it. Otherwise as ``join(_:on:)``.
    ///
    /// - Parameter source: The sender's address; its port does not count.
    public func join(
        _ group: SocketAddress, source: SocketAddress, on interface: MulticastInterface? = nil
    ) async throws { try await withHandle { try $0.join(group, source: source, on: interface) } }

    /// Leaves a group.
    ///
    /// - Throws: ``UVError`` with `.addressNotAvailable` when the socket is not in the group on this interface.
    public func leave(_ group: SocketAddress, on interface: MulticastInterface? = nil) async throws {
        try await withHandle { try $0.leave(group, on: interface) }
    }

    /// Leaves a group for one sender. Otherwise as ``leave(_:on:)``.
    public func leave(
        _ group: SocketAddress, source: SocketAddress, on interface: MulticastInterface? = nil
    ) async throws { try await withHandle { try $0.leave(group, source: source, on: interface) } }

    /// The size of the system's send buffer in bytes; Linux says twice what was set.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public var sendBufferSize: Int {
        get async throws { try await withHandle { try $0.sendBufferSize } }
    }

    /// The size of the system's receive buffer in bytes; Linux says twice what was set.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public var receiveBufferSize: Int {
        get async throws { try await withHandle { try $0.receiveBufferSize } }
    }

    /// Asks for a size of the system's send buffer, 1 byte at least; the system has its own limits.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for other sizes.
    public func setSendBufferSize(_ bytes: Int) async throws {
        try await withHandle { try $0.setSendBufferSize(bytes) }
    }

    /// Asks for a size of the system's receive buffer. Otherwise as ``setSendBufferSize(_:)``.
    public func setReceiveBufferSize(_ bytes: Int) async throws {
        try await withHandle { try $0.setReceiveBufferSize(bytes) }
    }
}
