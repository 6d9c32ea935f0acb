internal import CLibuv

extension Handle {
    /// Asks libuv for an address of the handle's socket.
    ///
    /// - Throws: ``UVError`` with `.addressFamilyNotSupported` for one that is neither IPv4 nor IPv6.
    final func socketAddress(
        _ operation: StaticString, _ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<CInt>) -> CInt
    ) throws(UVError) -> SocketAddress {
        try checkOpen(operation)
        var storage = sockaddr_storage()
        var size = CInt(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe ask($0, &size) }
        }
        try check(status, operation)
        guard let address = SocketAddress(&storage) else {
            throw UVError(.addressFamilyNotSupported, in: operation.description)
        }
        return address
    }
}
