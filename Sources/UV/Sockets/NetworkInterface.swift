internal import CLibuv
internal import CPlatform

/// This machine's network interfaces: their names, numbers and addresses.
public enum NetworkInterface {
    /// An address of an interface. An interface has as many as it likes.
    public struct Address: Hashable, Sendable {
        /// The interface's name, such as `eth0`.
        public let name: String
        /// The address, with port 0.
        public let address: SocketAddress
        /// The bits of the address that all machines of its network share.
        public let mask: SocketAddress
        /// The interface's own address in its network, such as `02:42:ac:11:00:02`; zeros if it has none.
        public let hardwareAddress: String
        /// Whether it leads to this machine only.
        public let isLoopback: Bool
    }

    /// The addresses of all interfaces that are up.
    ///
    /// - Throws: ``UVError`` with `.noMemory` or `.tooManyOpenFiles`.
    ///
    /// Calls `uv_interface_addresses`.
    public static var addresses: [Address] {
        get throws(UVError) {
            var raw: UnsafeMutablePointer<uv_interface_address_t>?
            var count: CInt = 0
            try check(unsafe uv_interface_addresses(&raw, &count), "interface addresses")
            defer { unsafe uv_free_interface_addresses(raw, count) }
            return unsafe UnsafeBufferPointer(start: raw, count: Int(count)).compactMap { unsafe Address($0) }
        }
    }

    /// The name of an interface, for example `eth0`.
    ///
    /// - Throws: ``UVError`` with `.noSuchAddressOrDevice` when there is none of this number.
    ///
    /// Calls `uv_if_indextoname`.
    public static func name(of index: UInt32) throws(UVError) -> String {
        unsafe try text("interface name", index) { unsafe uv_if_indextoname(index, $0, $1) }
    }

    /// What stands behind the `%` of a link-local address: a name on Unix, a number on Windows.
    ///
    /// - Throws: As ``name(of:)``.
    ///
    /// Calls `uv_if_indextoiid`.
    public static func zone(of index: UInt32) throws(UVError) -> String {
        unsafe try text("interface zone", index) { unsafe uv_if_indextoiid(index, $0, $1) }
    }

    /// The number of an interface, from 1.
    ///
    /// - Throws: ``UVError`` with `.operationNotSupportedByDevice` when there is none of this name.
    public static func index(of name: String) throws(UVError) -> UInt32 {
        let index = name.utf8.contains(0) ? 0 : unsafe if_nametoindex(name)
        guard index != 0 else { throw UVError(.operationNotSupportedByDevice, in: "interface index", of: name) }
        return index
    }

    /// Checks the zone of an address, because libuv takes an unknown zone for none.
    static func index(ofZone zone: String, in host: String) throws(UVError) -> UInt32 {
        if let number = UInt32(zone), String(number) == zone, (try? name(of: number)) != nil { return number }
        guard let index = try? index(of: zone) else {
            throw UVError(.operationNotSupportedByDevice, in: "address parsing", of: "\"\(host)\"")
        }
        return index
    }

    private static func text(
        _ operation: StaticString, _ index: UInt32,
        _ fill: (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>) -> CInt
    ) throws(UVError) -> String {
        var status: CInt = 0
        let text = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE) + 32) { buffer in
            var size = buffer.count
            status = unsafe fill(buffer.baseAddress, &size)
            return unsafe status < 0 ? "" : String(cString: buffer.baseAddress.unsafelyUnwrapped)
        }
        try check(status, operation, of: "interface \(index)")
        return text
    }
}

extension NetworkInterface.Address {
    fileprivate init?(_ raw: uv_interface_address_t) {
        var raw = unsafe raw
        guard let address = unsafe withUnsafePointer(to: &raw.address, { unsafe SocketAddress(family: $0) }),
            let mask = unsafe withUnsafePointer(to: &raw.netmask, { unsafe SocketAddress(family: $0) })
        else { return nil }
        name = unsafe String(cString: raw.name)
        self.address = address
        self.mask = mask
        hardwareAddress = unsafe withUnsafeBytes(of: raw.phys_addr) { bytes in
            unsafe bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
        }
        isLoopback = unsafe raw.is_internal != 0
    }
}

extension SocketAddress {
    /// From one of the unions that libuv has for addresses.
    fileprivate init?<Union>(family address: UnsafePointer<Union>) {
        unsafe self.init(UnsafeRawPointer(address).assumingMemoryBound(to: sockaddr.self))
    }
}
