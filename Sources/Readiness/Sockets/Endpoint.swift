internal import CReadiness
internal import SystemPackage

/// A numeric IPv4 or IPv6 address with a port, written `127.0.0.1:80` or `[::1]:80`.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// The address as text, such as `127.0.0.1` or `::1`.
    public let host: String

    /// Zero lets the kernel choose a free port when it is bound.
    public let port: UInt16

    /// Checks the address. `localhost` stands for `127.0.0.1`; no other name is looked up.
    ///
    /// - Throws: ``SystemError`` with `.invalidArgument`.
    public init(host: String, port: UInt16) throws(SystemError) {
        let host = host == "localhost" ? "127.0.0.1" : host
        guard !host.utf8.contains(0), unsafe readiness_family(host) > 0 else {
            throw SystemError(.invalidArgument, in: "inet_pton", of: host)
        }
        self.init(known: host, port)
    }

    init(known host: String, _ port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Any free port of the loopback interface.
    public static let anyLoopback = Endpoint(known: "127.0.0.1", 0)

    var family: CInt { unsafe readiness_family(host) }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
