internal import CLibuv
internal import CPlatform

/// The numeric address of a socket: IPv4 or IPv6, and a port.
///
/// Reads like `127.0.0.1:80`, `[::1]:80` or `[fe80::1%eth0]:80`.
public struct SocketAddress: Hashable, Sendable {
    /// An address family. Local sockets have a ``LocalAddress``.
    public struct Family: Hashable, Sendable {
        /// The system's number.
        let number: CInt
        /// IPv4.
        public static let ipv4 = Family(number: AF_INET)
        /// IPv6.
        public static let ipv6 = Family(number: AF_INET6)
    }

    private enum Storage: Hashable, Sendable {
        /// In the order of the network, the port in the machine's.
        case ipv4(UInt32, port: UInt16)
        case ipv6(UInt64, UInt64, flow: UInt32, scope: UInt32, port: UInt16)
    }

    private var storage: Storage

    /// The port, 0 to 65,535; 0 lets the system choose when binding.
    public var port: UInt16 {
        get {
            switch storage {
            case .ipv4(_, let port), .ipv6(_, _, _, _, let port): port
            }
        }
        set {
            switch storage {
            case .ipv4(let address, _): storage = .ipv4(address, port: newValue)
            case .ipv6(let high, let low, let flow, let scope, _):
                storage = .ipv6(high, low, flow: flow, scope: scope, port: newValue)
            }
        }
    }

    /// Takes a numeric host: `127.0.0.1`, `::1`, `fe80::1%eth0`, `fe80::1%2`. Names are not looked up.
    ///
    /// Only the plain forms are taken, four decimal numbers for IPv4: `0x7f.1` is a name, not an address.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for anything else, `.operationNotSupportedByDevice` for a zone that
    ///   is no interface of this machine.
    ///
    /// Calls `uv_ip4_addr`, `uv_ip6_addr`.
    public init(host: String, port: UInt16) throws(UVError) {
        guard !host.utf8.contains(0) else { throw Self.notAnAddress(host) }
        var ipv4 = sockaddr_in()
        if unsafe uv_ip4_addr(host, CInt(port), &ipv4) == 0 {
            storage = .ipv4(ipv4.sin_addr.s_addr, port: port)
            return
        }
        let parts = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        var ipv6 = sockaddr_in6()
        guard unsafe uv_ip6_addr(String(parts[0]), CInt(port), &ipv6) == 0 else { throw Self.notAnAddress(host) }
        let scope = parts.count == 2 ? try NetworkInterface.index(ofZone: String(parts[1]), in: host) : 0
        let halves = unsafe unsafeBitCast(ipv6.sin6_addr, to: (UInt64, UInt64).self)
        storage = .ipv6(halves.0, halves.1, flow: 0, scope: scope, port: port)
    }

    private static func notAnAddress(_ host: String) -> UVError {
        UVError(.invalidArgument, in: "address parsing", of: "\"\(host)\"")
    }

    /// Every IPv4 address of this machine, for servers.
    public static func anyIPv4(port: UInt16) -> Self { Self(.ipv4(0, port: port)) }

    /// Every address of this machine, IPv4 too unless the socket is IPv6 only.
    public static func anyIPv6(port: UInt16) -> Self { Self(.ipv6(0, 0, flow: 0, scope: 0, port: port)) }

    /// This machine, for itself only: 127.0.0.1.
    public static func loopback(port: UInt16) -> Self { Self(.ipv4(UInt32(0x7F00_0001).bigEndian, port: port)) }

    /// This machine, for itself only: ::1.
    public static func loopbackIPv6(port: UInt16) -> Self {
        Self(.ipv6(0, UInt64(1).bigEndian, flow: 0, scope: 0, port: port))
    }

    /// Whether it stands for all addresses of the machine.
    var isAny: Bool { self == .anyIPv4(port: port) || self == .anyIPv6(port: port) }

    private init(_ storage: Storage) { self.storage = storage }

    /// - Parameter ipv4: In the order of the network.
    init(ipv4: UInt32) { self.init(.ipv4(ipv4, port: 0)) }

    /// The address family.
    public var family: Family {
        switch storage {
        case .ipv4: .ipv4
        case .ipv6: .ipv6
        }
    }

    /// The interface that a link-local IPv6 address belongs to; 0 for none.
    public var scope: UInt32 {
        if case .ipv6(_, _, _, let scope, _) = storage { scope } else { 0 }
    }

    /// The address without the port, in its shortest form, with the zone.
    ///
    /// Calls `uv_ip_name`.
    public var host: String {
        var text: String
        text = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            _ = unsafe withSockaddr { address, _ in unsafe uv_ip_name(address, buffer.baseAddress, buffer.count) }
            return unsafe buffer.baseAddress.map { unsafe String(cString: $0) } ?? ""
        }
        if scope != 0 { text += "%" + ((try? NetworkInterface.name(of: scope)) ?? String(scope)) }
        return text
    }

    // MARK: For the system

    /// Reads an address that the system has filled in; `nil` for a family other than IPv4 and IPv6.
    init?(_ storage: inout sockaddr_storage) {
        switch CInt(storage.ss_family) {
        case AF_INET:
            let address = unsafe withUnsafeBytes(of: &storage) { unsafe $0.load(as: sockaddr_in.self) }
            self.init(.ipv4(address.sin_addr.s_addr, port: UInt16(bigEndian: address.sin_port)))
        case AF_INET6:
            let address = unsafe withUnsafeBytes(of: &storage) { unsafe $0.load(as: sockaddr_in6.self) }
            let halves = unsafe unsafeBitCast(address.sin6_addr, to: (UInt64, UInt64).self)
            self.init(
                .ipv6(
                    halves.0, halves.1, flow: address.sin6_flowinfo, scope: address.sin6_scope_id,
                    port: UInt16(bigEndian: address.sin6_port)))
        default: return nil
        }
    }

    /// Reads an address that the system has filled in, without a copy; `nil` for a family other than IPv4 and IPv6.
    @inline(__always)
    init?(_ address: cplatform_address) {
        let address = unsafe unsafeBitCast(address, to: sockaddr_in6.self)
        switch CInt(address.sin6_family) {
        case AF_INET6:
            let halves = unsafe unsafeBitCast(address.sin6_addr, to: (UInt64, UInt64).self)
            self.init(
                .ipv6(
                    halves.0, halves.1, flow: address.sin6_flowinfo, scope: address.sin6_scope_id,
                    port: UInt16(bigEndian: address.sin6_port)))
        // In the form of IPv4 the address stands where IPv6 has the flow.
        case AF_INET: self.init(.ipv4(address.sin6_flowinfo, port: UInt16(bigEndian: address.sin6_port)))
        default: return nil
        }
    }

    /// From memory of the family's own size.
    init?(_ address: UnsafePointer<sockaddr>) {
        var storage = sockaddr_storage()
        let size =
            switch CInt(unsafe address.pointee.sa_family) {
            case AF_INET: MemoryLayout<sockaddr_in>.size
            case AF_INET6: MemoryLayout<sockaddr_in6>.size
            default: 0
            }
        unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: size))
        }
        self.init(&storage)
    }

    /// Lends the address in the system's form.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch storage {
        case .ipv4(let address, let port):
            var form = sockaddr_in()
            #if canImport(Darwin)
            form.sin_len = UInt8(MemoryLayout<sockaddr_in>.size)
            #endif
            form.sin_family = sa_family_t(AF_INET)
            form.sin_port = port.bigEndian
            form.sin_addr.s_addr = address
            return unsafe Self.lend(&form, body)
        case .ipv6(let high, let low, let flow, let scope, let port):
            var form = sockaddr_in6()
            #if canImport(Darwin)
            form.sin6_len = UInt8(MemoryLayout<sockaddr_in6>.size)
            #endif
            form.sin6_family = sa_family_t(AF_INET6)
            form.sin6_port = port.bigEndian
            form.sin6_addr = unsafe unsafeBitCast((high, low), to: in6_addr.self)
            form.sin6_flowinfo = flow
            form.sin6_scope_id = scope
            return unsafe Self.lend(&form, body)
        }
    }

    private static func lend<Form, Result>(
        _ form: inout Form, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        unsafe withUnsafePointer(to: &form) { form in
            unsafe form.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<Form>.size))
            }
        }
    }
}

extension SocketAddress: LosslessStringConvertible {
    public var description: String { family == .ipv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }

    /// Takes what ``description`` gives: `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80`; `nil` for anything else.
    public init?(_ description: String) {
        guard let colon = description.lastIndex(of: ":") else { return nil }
        var host = description[..<colon]
        let digits = description[description.index(after: colon)...]
        guard let port = UInt16(digits), String(port) == digits else { return nil }
        let isIPv6 = host.first == "[" && host.last == "]" && host.count > 2
        if isIPv6 { host = host.dropFirst().dropLast() }
        guard let address = try? Self(host: String(host), port: port), (address.family == .ipv6) == isIPv6 else {
            return nil
        }
        self = address
    }
}
