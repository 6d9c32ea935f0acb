internal import CPlatform
internal import UVPlatform

/// The network interface that datagrams to a group go through.
public enum MulticastInterface: Hashable, Sendable {
    /// The interface with this name, for example `eth0`.
    case named(String)
    /// The interface with this address. With IPv6 the zone of the address counts (`fe80::1%eth0`), not the rest.
    case address(SocketAddress)

    /// The interface in libuv's form.
    ///
    /// - Throws: ``UVError`` with `.operationNotSupportedByDevice` when there is no such interface, because libuv would take
    ///   any instead; `.invalidArgument` for an address of another family, or of IPv6 without a zone.
    func text(for family: SocketAddress.Family, _ operation: StaticString) throws(UVError) -> String {
        switch self {
        case .address(let address):
            guard address.family == family, family == .ipv4 || address.scope != 0 else {
                throw UVError(.invalidArgument, in: operation.description, of: "interface \(address.host)")
            }
            return family == .ipv4 ? address.host : "::%\(try NetworkInterface.name(of: address.scope))"
        case .named(let name):
            guard (try? NetworkInterface.index(of: name)) != nil else {
                throw UVError(.operationNotSupportedByDevice, in: operation.description, of: "interface \(name)")
            }
            if family == .ipv6 { return "::%\(name)" }
            var address: UInt32 = 0
            try checkSystem(
                unsafe cplatform_interface_address(name, &address), operation, of: "interface \(name)")
            return SocketAddress(ipv4: address).host
        }
    }
}
