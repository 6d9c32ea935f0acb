internal import CLibuv

/// Socket options that libuv does not set.
struct SocketOption {
    let level: CInt
    let name: CInt
    let label: StaticString

    static let reuseAddress = Self(level: SOL_SOCKET, name: SO_REUSEADDR, label: "SO_REUSEADDR")
    static let reusePort = Self(level: SOL_SOCKET, name: SO_REUSEPORT, label: "SO_REUSEPORT")
    static let ipv6Only = Self(level: CInt(IPPROTO_IPV6), name: IPV6_V6ONLY, label: "IPV6_V6ONLY")
    static let keepAliveInterval = Self(level: CInt(IPPROTO_TCP), name: TCP_KEEPINTVL, label: "TCP_KEEPINTVL")
    static let keepAliveCount = Self(level: CInt(IPPROTO_TCP), name: TCP_KEEPCNT, label: "TCP_KEEPCNT")

    static let ipv6Hops = Self(level: CInt(IPPROTO_IPV6), name: IPV6_UNICAST_HOPS, label: "IPV6_UNICAST_HOPS")
    static let ipv6MulticastHops = Self(
        level: CInt(IPPROTO_IPV6), name: IPV6_MULTICAST_HOPS, label: "IPV6_MULTICAST_HOPS")
    static let ipv6MulticastLoop = Self(
        level: CInt(IPPROTO_IPV6), name: IPV6_MULTICAST_LOOP, label: "IPV6_MULTICAST_LOOP")

    static func set(
        _ option: Self, _ value: CInt, _ socket: CInt, _ operation: StaticString
    ) throws(UVError) {
        var value = value
        try checkSystem(
            unsafe setsockopt(
                socket, option.level, option.name, &value, socklen_t(MemoryLayout<CInt>.size)),
            operation, of: "\(option.label)")
    }

    /// The address family of a socket; `AF_UNSPEC` for what is none.
    static func family(of socket: CInt) -> CInt {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(socket, $0, &size) }
        }
        return status == 0 ? CInt(address.ss_family) : AF_UNSPEC
    }

    /// A number that an option has; 0 if the system does not say.
    static func number(_ option: Self, of socket: CInt) -> CInt {
        number(level: option.level, name: option.name, of: socket) ?? 0
    }

    /// What sort of socket it is: SOCK_STREAM, SOCK_DGRAM; `nil` for what is no socket, and `errno` says why.
    static func type(of socket: CInt) -> CInt? { number(level: SOL_SOCKET, name: SO_TYPE, of: socket) }

    /// Whether a socket accepts connections.
    static func listens(_ socket: CInt) -> Bool { number(level: SOL_SOCKET, name: SO_ACCEPTCONN, of: socket) == 1 }

    private static func number(level: CInt, name: CInt, of socket: CInt) -> CInt? {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        return unsafe getsockopt(socket, level, name, &value, &size) == 0 ? value : nil
    }

    /// The error that waits in a socket, which forgets it; 0 for none, and for what is no socket.
    static func takeError(of socket: CInt) -> CInt {
        var error: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        return unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : 0
    }

    /// Makes the close of a socket a reset. A socket that refuses is closed all the same.
    static func resetOnClose(_ socket: CInt) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(
            socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }
}

/// The system's names that a method of ours hides, and a constant that is an enum on Linux only.
func systemBind(_ socket: CInt, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> CInt {
    unsafe bind(socket, address, size)
}

func systemListen(_ socket: CInt, _ backlog: CInt) -> CInt { listen(socket, backlog) }

func systemConnect(_ socket: CInt, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> CInt {
    unsafe connect(socket, address, size)
}

func systemFinish(_ socket: CInt) -> CInt { shutdown(socket, CInt(SHUT_WR)) }

#if canImport(Darwin)
let streamSocketType = SOCK_STREAM
let datagramSocketType = SOCK_DGRAM
let messageSocketType = SOCK_SEQPACKET
#else
let streamSocketType = CInt(SOCK_STREAM.rawValue)
let datagramSocketType = CInt(SOCK_DGRAM.rawValue)
let messageSocketType = CInt(SOCK_SEQPACKET.rawValue)
#endif
