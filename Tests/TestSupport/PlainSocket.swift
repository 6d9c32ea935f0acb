import Foundation
public import SystemPackage
public import UV

/// Blocking sockets without a loop: the foreign peers of the tests.
extension FileDescriptor {
    /// A TCP connection with itself, over loopback: the side that connected and the side that accepted.
    public static func tcpPair() throws -> (FileDescriptor, FileDescriptor) {
        let listener = try tcpListener()
        defer { try? listener.close() }
        let near = try tcpConnection(toPort: try listener.localPort)
        let far = try checked(accept(listener.rawValue, nil, nil))
        return (near, far)
    }

    /// Listens on a free port of loopback.
    public static func tcpListener(backlog: CInt = 128) throws -> FileDescriptor {
        let listener = try checked(socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0))
        var address = loopback(port: 0)
        _ = unsafe try checked(
            withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(listener.rawValue, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            })
        _ = try checked(listen(listener.rawValue, backlog))
        return listener
    }

    /// Connects over loopback. The kernel answers for a listener that has not accepted yet.
    public static func tcpConnection(toPort port: UInt16) throws -> FileDescriptor {
        let connection = try checked(socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0))
        var address = loopback(port: port)
        _ = unsafe try checked(
            withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(connection.rawValue, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            })
        return connection
    }

    public var localPort: UInt16 {
        get throws {
            var address = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            _ = unsafe try checked(
                withUnsafeMutablePointer(to: &address) {
                    unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        unsafe getsockname(rawValue, $0, &size)
                    }
                })
            return UInt16(bigEndian: address.sin_port)
        }
    }

    /// Closes with a reset instead of a farewell. Returns when the peer has it, if the peer is a socket of this process:
    /// on a busy machine the kernel delivers over loopback only after `close` has returned.
    public func closeWithReset() throws {
        let ours = ends
        let peer = openSockets().keys.first { FileDescriptor(rawValue: $0).ends.map { [$0[1], $0[0]] } == ours }
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(rawValue, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        try close()
        guard let ours, let peer else { return }
        // A socket that was reset has no peer any more.
        while FileDescriptor(rawValue: peer).ends == [ours[1], ours[0]] { sched_yield() }
    }

    /// The ports of a TCP connection over IPv4, ours first; `nil` for another descriptor and for one without a peer.
    private var ends: [UInt16]? {
        let addresses = unsafe [getsockname, getpeername].compactMap { ask -> UInt16? in
            var address = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = unsafe withUnsafeMutablePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe ask(rawValue, $0, &size) }
            }
            return result == 0 && Int32(address.sin_family) == AF_INET ? UInt16(bigEndian: address.sin_port) : nil
        }
        return addresses.count == 2 ? addresses : nil
    }

    /// Finishes the sending side.
    public func finishSending() { Foundation.shutdown(rawValue, CInt(SHUT_WR)) }

    public func option(_ level: CInt, _ name: CInt) -> CInt {
        var value: CInt = -1
        var size = socklen_t(MemoryLayout<CInt>.size)
        unsafe getsockopt(rawValue, level, name, &value, &size)
        return value
    }

    /// What is there, waiting for the first byte; empty at the end.
    public func read(upTo count: Int) throws -> [UInt8] {
        unsafe try [UInt8](unsafeUninitializedCapacity: count) { buffer, size in
            size = unsafe try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// All bytes until the peer has finished.
    public func readToEnd() throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let chunk = try read(upTo: 65_536)
            if chunk.isEmpty { return all }
            all += chunk
        }
    }
}

extension TCPHandle {
    /// Two handles connected by TCP over loopback.
    public static func tcpPair(on loop: Loop) throws -> (TCPHandle, TCPHandle) {
        let (near, far) = try FileDescriptor.tcpPair()
        let handles = (try TCPHandle(on: loop), try TCPHandle(on: loop))
        try handles.0.open(near)
        try handles.1.open(far)
        return handles
    }

    /// A handle connected with a plain socket.
    public static func withPlainPeer(on loop: Loop) throws -> (TCPHandle, FileDescriptor) {
        let (near, far) = try FileDescriptor.tcpPair()
        let handle = try TCPHandle(on: loop)
        try handle.open(near)
        return (handle, far)
    }

    /// Listens on a free port of loopback.
    public static func listening(
        on loop: Loop, onConnection: @escaping (TCPHandle, Result<TCPHandle, UVError>) -> Void
    ) throws -> TCPHandle {
        let listener = try TCPHandle(on: loop)
        try listener.bind(to: SocketAddress(host: "127.0.0.1", port: 0))
        try listener.listen(onConnection: onConnection)
        return listener
    }
}

private func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

private func checked(_ result: CInt) throws -> FileDescriptor {
    guard result >= 0 else { throw Errno(rawValue: errno) }
    return FileDescriptor(rawValue: result)
}
