public import UV

/// Looks up names of hosts.
public enum Resolver {
    /// The addresses of a host in the system's order of preference, at least one.
    ///
    /// Numeric hosts are taken as they are, without a look-up. Names are looked up off the loop, in libuv's pool.
    ///
    /// - Throws: ``UVError`` with `.resolverUnknownName` and relatives, `.invalidArgument` for what cannot be a name.
    ///
    /// Cancellation: a look-up that has begun goes on in the background; its result is dropped.
    public static func addresses(
        of host: String, port: UInt16, on loop: EventLoop = .current ?? .shared
    ) async throws -> [SocketAddress] {
        if let address = try? SocketAddress(host: host, port: port) { return [address] }
        return try await loop.perform("look-up") { core, pending in
            let request = try AddressRequest.addresses(of: host, port: port, on: core.loop) { _, result in
                pending.finish(result.mapError { $0 })
            }
            pending.onCancel = { try? request.cancel() }
        }
    }
}
