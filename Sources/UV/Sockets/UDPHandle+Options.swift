internal import CLibuv
internal import CPlatform

extension UDPHandle {
    /// Allows datagrams to broadcast addresses (SO_BROADCAST); the system refuses them otherwise.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` before there is a socket.
    ///
    /// Calls `uv_udp_set_broadcast`.
    public final func setBroadcast(enabled: Bool) throws(UVError) {
        try checkOpen("setBroadcast")
        try check(unsafe uv_udp_set_broadcast(raw, enabled ? 1 : 0), "setBroadcast")
    }

    /// Sets how many routers a datagram may pass, 1 to 255, both for IPv4 and for IPv6 where the socket can do both.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for other numbers, `.badFileDescriptor` before there is a socket.
    ///
    /// Calls `uv_udp_set_ttl`.
    public final func setTTL(_ hops: Int) throws(UVError) {
        let hops = try number(hops, in: 1...255, "setTTL")
        try check(unsafe uv_udp_set_ttl(raw, hops), "setTTL")
        try setIPv6(.ipv6Hops, hops, "setTTL")
    }

    /// Sets how many routers a datagram to a group may pass, 0 to 255; 1 at first, which is none.
    ///
    /// - Throws: As ``setTTL(_:)``.
    ///
    /// Calls `uv_udp_set_multicast_ttl`.
    public final func setMulticastTTL(_ hops: Int) throws(UVError) {
        let hops = try number(hops, in: 0...255, "setMulticastTTL")
        try check(unsafe uv_udp_set_multicast_ttl(raw, hops), "setMulticastTTL")
        try setIPv6(.ipv6MulticastHops, hops, "setMulticastTTL")
    }

    /// Lets datagrams to a group come to receivers on this machine, too; on at first.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` before there is a socket.
    ///
    /// Calls `uv_udp_set_multicast_loop`.
    public final func setMulticastLoop(enabled: Bool) throws(UVError) {
        try checkOpen("setMulticastLoop")
        try check(unsafe uv_udp_set_multicast_loop(raw, enabled ? 1 : 0), "setMulticastLoop")
        try setIPv6(.ipv6MulticastLoop, enabled ? 1 : 0, "setMulticastLoop")
    }

    /// Chooses the interface that datagrams to groups leave by; `nil` leaves it to the system.
    ///
    /// - Throws: ``UVError`` with `.operationNotSupportedByDevice` when there is no such interface, `.invalidArgument` for an
    ///   address of the other family, `.badFileDescriptor` before there is a socket.
    ///
    /// Calls `uv_udp_set_multicast_interface`.
    public final func setMulticastInterface(_ interface: MulticastInterface?) throws(UVError) {
        try checkOpen("setMulticastInterface")
        guard let family else {
            throw UVError(.badFileDescriptor, in: "setMulticastInterface", of: "a socket without address")
        }
        let text: String
        if let interface {
            text = try interface.text(for: family, "setMulticastInterface")
        } else {
            // libuv would choose by the family of the address, which an unbound socket does not have.
            text = family == .ipv4 ? "0.0.0.0" : "::"
        }
        try check(unsafe uv_udp_set_multicast_interface(raw, text), "setMulticastInterface", of: text)
    }

    /// Joins a group: the socket, bound to the group's port, receives what is sent to it.
    ///
    /// - Parameter group: The group's address; its port does not count.
    /// - Parameter interface: Where to listen; `nil` leaves it to the system, or to the zone of the group's address.
    /// - Throws: ``UVError`` with `.invalidArgument` for an address that is no group, `.addressInUse` when the socket is in the
    ///   group, `.operationNotSupportedByDevice` when there is no such interface, or none for groups.
    ///
    /// Calls `uv_udp_set_membership`.
    public final func join(_ group: SocketAddress, on interface: MulticastInterface? = nil) throws(UVError) {
        try setMembership(group, interface, UV_JOIN_GROUP, "join")
    }

    /// Leaves a group.
    ///
    /// - Throws: ``UVError`` with `.addressNotAvailable` when the socket is not in the group on this interface.
    public final func leave(_ group: SocketAddress, on interface: MulticastInterface? = nil) throws(UVError) {
        try setMembership(group, interface, UV_LEAVE_GROUP, "leave")
    }

    /// Joins a group for what one sender sends to it. Otherwise as ``join(_:on:)``.
    ///
    /// - Parameter source: The sender's address; its port does not count.
    ///
    /// Calls `uv_udp_set_source_membership`.
    public final func join(
        _ group: SocketAddress, source: SocketAddress, on interface: MulticastInterface? = nil
    ) throws(UVError) { try setMembership(group, source, interface, UV_JOIN_GROUP, "join") }

    /// Leaves a group for one sender. Otherwise as ``leave(_:on:)``.
    public final func leave(
        _ group: SocketAddress, source: SocketAddress, on interface: MulticastInterface? = nil
    ) throws(UVError) { try setMembership(group, source, interface, UV_LEAVE_GROUP, "leave") }

    /// Lets the socket tell what the network says of the datagrams that it has sent, such as that nobody listens there
    /// (IP_RECVERR); on at first. A receiver gets it as an error. Off, only a connected socket has such errors, and its sends get
    /// them, too. Where the system has nothing of the kind (it is Linux's) it stays off.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` before there is a socket.
    public final func setReportsErrors(enabled: Bool) throws(UVError) {
        try checkOpen("setReportsErrors")
        guard let family else {
            throw UVError(.badFileDescriptor, in: "setReportsErrors", of: "a socket without address")
        }
        let status = unsafe cplatform_report_network_errors(socket, family.number, enabled ? 1 : 0)
        try checkSystem(status, "setReportsErrors")
        unsafe reportsErrors = enabled
    }

    // MARK: Inside

    private final func number(
        _ number: Int, in range: ClosedRange<Int>, _ operation: StaticString
    ) throws(UVError) -> CInt {
        try checkOpen(operation)
        guard range.contains(number) else {
            throw UVError(.invalidArgument, in: operation.description, of: "\(number)")
        }
        return CInt(number)
    }

    /// libuv sets an option for IPv4 as long as a socket of IPv6 is not bound, or was adopted, and says that all is well.
    private final func setIPv6(
        _ option: SocketOption, _ value: CInt, _ operation: StaticString
    ) throws(UVError) {
        if family == .ipv6 { try SocketOption.set(option, value, unsafe socket, operation) }
    }

    private final func setMembership(
        _ group: SocketAddress, _ interface: MulticastInterface?, _ membership: uv_membership, _ operation: StaticString
    ) throws(UVError) {
        let names = try membershipNames(group, interface, operation)
        let status: CInt
        if let interface = names.interface {
            status = unsafe uv_udp_set_membership(raw, names.group, interface, membership)
        } else {
            status = unsafe uv_udp_set_membership(raw, names.group, nil, membership)
        }
        try check(status, operation, of: "group \(group.host)")
    }

    private final func setMembership(
        _ group: SocketAddress, _ source: SocketAddress, _ interface: MulticastInterface?,
        _ membership: uv_membership, _ operation: StaticString
    ) throws(UVError) {
        guard source.family == group.family else {
            throw UVError(.invalidArgument, in: operation.description, of: "group \(group.host) from \(source.host)")
        }
        let names = try membershipNames(group, interface, operation)
        let status: CInt
        if let interface = names.interface {
            status = unsafe uv_udp_set_source_membership(raw, names.group, interface, source.host, membership)
        } else {
            status = unsafe uv_udp_set_source_membership(raw, names.group, nil, source.host, membership)
        }
        try check(status, operation, of: "group \(group.host) from \(source.host)")
    }

    private final func membershipNames(
        _ group: SocketAddress, _ interface: MulticastInterface?, _ operation: StaticString
    ) throws(UVError) -> (group: String, interface: String?) {
        try checkOpen(operation)
        try makeSocket(group.family, operation)
        if interface == nil, group.scope != 0 {
            return (group.host, "::%\(try NetworkInterface.name(of: group.scope))")
        }
        return (group.host, try interface?.text(for: group.family, operation))
    }
}
