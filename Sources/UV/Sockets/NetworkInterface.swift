internal import CLibuv
internal import CPlatform

/// Names and numbers of this machine's network interfaces.
public enum NetworkInterface {
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
