public import UV

/// Looks up names of hosts and addresses.
///
/// Look-ups have threads of their own, 16 at most: however long they hang, files and loops go on.
public enum Resolver {
    /// The addresses of a host in the system's order of preference, at least one.
    ///
    /// Numeric hosts are taken as they are, without a look-up.
    ///
    /// - Parameter family: Leaves out addresses of other families; `nil` takes all.
    /// - Parameter timeout: How long to wait, in the line for a thread too; `nil` leaves it to the system: half a minute.
    /// - Throws: ``UVError`` with `.resolverUnknownName` and relatives, `.invalidArgument` for what cannot be a name,
    ///   `.addressFamilyNotSupported` when no address is of the family, `.timedOut` when there is no answer in time.
    ///
    /// Cancellation and timeout: a look-up that has begun goes on in the background; its result is dropped.
    public static func addresses(
        of host: String, port: UInt16, in family: SocketAddress.Family? = nil, timeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared
    ) async throws -> [SocketAddress] {
        let addresses = try await allAddresses(of: host, port: port, timeout: timeout, on: loop)
        guard let family else { return addresses }
        let chosen = addresses.filter { $0.family == family }
        if chosen.isEmpty { throw UVError(.addressFamilyNotSupported, in: "look-up", of: host) }
        return chosen
    }

    private static func allAddresses(
        of host: String, port: UInt16, timeout: Duration?, on loop: EventLoop
    ) async throws -> [SocketAddress] {
        if let address = try? SocketAddress(host: host, port: port) {
            try await loop.pace()
            return [address]
        }
        return try await loop.perform(in: .lookUps, "look-up", of: host, within: timeout) {
            try AddressRequest.waitForAddresses(of: host, port: port)
        }
    }

    /// The name of an address and of its port's service, or their numbers where they have no names.
    ///
    /// - Parameter timeout: As in ``addresses(of:port:in:timeout:on:)``.
    /// - Throws: ``UVError`` with `.resolverTemporaryFailure` and relatives, `.timedOut` when there is no answer in time.
    ///
    /// Cancellation and timeout: a look-up that has begun goes on in the background; its result is dropped.
    public static func name(
        of address: SocketAddress, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> NameRequest.Name {
        try await loop.perform(in: .lookUps, "look-up", of: "\(address)", within: timeout) {
            try NameRequest.waitForName(of: address)
        }
    }
}
