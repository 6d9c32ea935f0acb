import Foundation
public import SystemPackage
public import UV

extension FileDescriptor {
    /// Waits for a connection on a listening socket.
    public func acceptOne() throws -> FileDescriptor {
        let connection = accept(rawValue, nil, nil)
        guard connection >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: connection)
    }
}

extension TCPHandle {
    /// Lets the system choose one port only when this one connects, a free one. Returns it as an address of loopback.
    public func willChooseFreePort() throws -> SocketAddress {
        let listener = try FileDescriptor.tcpListener()
        let port = try listener.localPort
        try listener.close()
        // IP_LOCAL_PORT_RANGE of Linux 6.3, which the module does not show.
        var range = UInt32(port) | UInt32(port) << 16
        let socket = try fileDescriptor.rawValue
        guard unsafe setsockopt(socket, CInt(IPPROTO_IP), 51, &range, 4) == 0 else {
            throw Errno(rawValue: errno)
        }
        return try SocketAddress(host: "127.0.0.1", port: port)
    }
}
