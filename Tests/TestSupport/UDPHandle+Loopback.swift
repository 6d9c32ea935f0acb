public import UV

extension UDPHandle {
    /// A socket on a free port of loopback.
    public static func onLoopback(on loop: Loop) throws -> UDPHandle {
        let handle = try UDPHandle(on: loop)
        try handle.bind(to: .loopback(port: 0))
        return handle
    }
}

/// A port of loopback that nobody has, for a moment at least.
public func freeUDPPort(on loop: Loop) throws -> UInt16 {
    let handle = try UDPHandle.onLoopback(on: loop)
    defer { handle.close() }
    return try handle.localAddress.port
}
