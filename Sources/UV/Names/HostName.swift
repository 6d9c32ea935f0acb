internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// Checks names before they are looked up, and explains why a name was not found.
enum HostName {
    /// - Throws: ``UVError`` with `.invalidArgument` for what cannot be a host's name, and is no address either.
    static func check(_ host: String) throws(UVError) {
        if isName(host) && !endsInANumber(host) || (try? SocketAddress(host: host, port: 0)) != nil { return }
        throw UVError(.invalidArgument, in: "look-up", of: host.debugDescription)
    }

    /// Older versions of libuv look up a shortened name when it is long (CVE-2024-24806).
    private static func isName(_ host: String) -> Bool {
        let name = host.utf8
        let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return (1...253).contains(name.count) && labels.allSatisfy { $0.count <= 63 }
            && name.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    }

    /// The system takes `127.1`, `0x7f.1` and `2130706433` for 127.0.0.1, so they pass filters that compare names or
    /// addresses. The rule is WHATWG's: a name whose last label is a number is no name. IDNA has three more full stops.
    private static func endsInANumber(_ host: String) -> Bool {
        var labels = host.unicodeScalars.split(omittingEmptySubsequences: false) {
            ".\u{3002}\u{FF0E}\u{FF61}".unicodeScalars.contains($0)
        }
        if labels.last?.isEmpty == true { labels.removeLast() }
        guard let last = labels.last.map({ String($0).lowercased() }), !last.isEmpty else { return false }
        let isHexadecimal = last.hasPrefix("0x")
        return last.utf8.dropFirst(isHexadecimal ? 2 : 0).allSatisfy {
            (0x30...0x39).contains($0) || (isHexadecimal && (0x61...0x66).contains($0))
        }
    }

    /// The true cause of a failed look-up: without a free descriptor the system's resolver can open neither its files nor a
    /// socket, and says that the name is unknown.
    static func cause(of code: UVError.Code) -> UVError.Code {
        let socket = cplatform_socket(AF_INET, streamSocketType)
        if socket >= 0 {
            FileDescriptor(rawValue: socket).closeIgnoringErrors()
            return code
        }
        let reason = UVError.Code.lastSystemError
        return [.tooManyOpenFiles, .tooManyOpenFilesInSystem].contains(reason) ? reason : code
    }
}
