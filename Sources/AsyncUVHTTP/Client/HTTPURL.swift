internal import UV

/// Where something is on the web: `http://example.org:8080/path?query`. The schemes are `http` and `https`, and `ws` and `wss`, which mean the same.
///
/// Names and passwords in it are refused, because they end up in logs; the field `Authorization` is for them. A fragment is dropped, since
/// servers never get it. What may not stand in a path is percent-encoded: spaces, and what is not ASCII.
public struct HTTPURL: Hashable, Sendable, CustomStringConvertible {
    /// Whether the connection is to be secured.
    public let isSecure: Bool
    /// A name or an address, in lower case; an IPv6 address without its brackets.
    public let host: String
    /// The port that is named, else that of the scheme: 80 or 443.
    public let port: UInt16
    /// Path and query, percent-encoded; at least `/`.
    public let path: String

    /// Makes a URL of its parts.
    ///
    /// - Parameter path: Path and query; a `/` is put before it if it has none.
    public init?(isSecure: Bool = false, host: String, port: UInt16? = nil, path: String = "/") {
        let host = host.lowercased()
        guard !host.isEmpty, host.utf8.allSatisfy({ $0.isOfHost && $0 != .colon || $0 == .colon }) else { return nil }
        guard !host.contains("["), !host.contains("]"), let path = Self.encoded(path) else { return nil }
        self.isSecure = isSecure
        self.host = host
        self.port = port ?? (isSecure ? 443 : 80)
        self.path = path.hasPrefix("/") ? path : "/" + path
    }

    /// Reads a URL.
    ///
    /// - Returns: `nil` for a text that is no such URL.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        let isSecure: Bool
        switch text[..<colon].lowercased() {
        case "http", "ws": isSecure = false
        case "https", "wss": isSecure = true
        default: return nil
        }
        self.init(isSecure: isSecure, behind: text[text.index(colon, offsetBy: 3)...])
    }

    /// - Parameter rest: What is behind the `//`.
    private init?(isSecure: Bool, behind rest: Substring) {
        let rest = rest.prefix { $0 != "#" }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard let (host, port) = Self.split(authority: rest[..<end]) else { return nil }
        self.init(isSecure: isSecure, host: host, port: port, path: String(rest[end...]))
    }

    private static func split(authority: Substring) -> (host: String, port: UInt16?)? {
        var host = authority
        var port = Substring("")
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            // Only addresses have brackets.
            guard rest.isEmpty || rest.hasPrefix(":"), host.contains(":") else { return nil }
            port = rest.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            (host, port) = (authority[..<colon], authority[authority.index(after: colon)...])
            if port.contains(":") { return nil }
        }
        if port.isEmpty { return (String(host), nil) }
        guard port.utf8.allSatisfy(\.isDigit), let number = UInt16(port), number > 0 else { return nil }
        return (String(host), number)
    }

    /// - Returns: `nil` when there are control characters in it.
    private static func encoded(_ path: String) -> String? {
        if path.utf8.allSatisfy(\.isOfTarget) { return path }
        var bytes: [UInt8] = []
        for byte in path.utf8.prefix(while: { $0 != UInt8(ascii: "#") }) {
            if byte < 0x20 || byte == 0x7F { return nil }
            if byte.isOfTarget { bytes.append(byte) } else { bytes += percentEncoded(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func percentEncoded(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// A text that is no URL, without what may be a name and a password: nobody knows where they end, but by the last `@`.
    static func withoutCredentials(_ text: String) -> String {
        guard let end = text.lastIndex(of: "@") else { return text }
        let scheme = text[..<end].firstRange(of: "://").map { text[..<$0.upperBound] }
        return "\(scheme ?? "")…\(text[end...])"
    }

    // MARK: Parts

    /// `http` or `https`.
    public var scheme: String { isSecure ? "https" : "http" }

    /// Host and port as the field `Host` has them: without the port that the scheme has anyway.
    public var authority: String { port == (isSecure ? 443 : 80) ? bracketedHost : hostAndPort }

    /// Host and port, always both.
    var hostAndPort: String { "\(bracketedHost):\(port)" }

    private var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }

    /// The URL as text.
    public var description: String { "\(scheme)://\(authority)\(path)" }

    /// Whether both are served by the same: same scheme, host and port.
    public func hasSameOrigin(as other: HTTPURL) -> Bool {
        isSecure == other.isSecure && host == other.host && port == other.port
    }

    // MARK: References

    /// The URL that a reference in an answer of this URL means, such as that of the field `Location` (RFC 3986, 5.2).
    ///
    /// - Returns: `nil` for what is none, or has another scheme.
    public func resolving(_ reference: String) -> HTTPURL? {
        let reference = String(reference.prefix { $0 != "#" })
        if reference.hasPrefix("//") { return HTTPURL(isSecure: isSecure, behind: reference.dropFirst(2)) }
        // A colon behind a slash or a question mark is one of a path.
        if let colon = reference.firstIndex(of: ":"), !reference[..<colon].contains(where: { "/?".contains($0) }) {
            return HTTPURL(reference)
        }
        let (ownPath, ownQuery) = Self.split(path: path)
        let (newPath, newQuery) = Self.split(path: reference)
        if newPath.isEmpty {
            return HTTPURL(
                isSecure: isSecure, host: host, port: port, path: ownPath + (newQuery.isEmpty ? ownQuery : newQuery))
        }
        let folder = ownPath[...(ownPath.lastIndex(of: "/") ?? ownPath.startIndex)]
        let whole = newPath.hasPrefix("/") ? newPath : folder + newPath
        return HTTPURL(
            isSecure: isSecure, host: host, port: port, path: Self.withoutDots(String(whole)) + newQuery)
    }

    /// The query has its question mark.
    private static func split(path: String) -> (path: String, query: String) {
        let end = path.firstIndex(of: "?") ?? path.endIndex
        return (String(path[..<end]), String(path[end...]))
    }

    /// A path without `.` and `..`.
    private static func withoutDots(_ path: String) -> String {
        var segments: [Substring] = []
        let all = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in all.enumerated() {
            let isLast = index == all.count - 1
            switch segment {
            case ".": if isLast { segments.append("") }
            case "..":
                if !segments.isEmpty { segments.removeLast() }
                if isLast { segments.append("") }
            default: segments.append(segment)
            }
        }
        return "/" + segments.joined(separator: "/")
    }
}
