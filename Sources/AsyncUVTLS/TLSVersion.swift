/// A version of TLS. Older ones are not spoken.
public enum TLSVersion: Int, Comparable, Sendable, CustomStringConvertible {
    /// TLS 1.2.
    case v1_2 = 2
    /// TLS 1.3.
    case v1_3 = 3

    public static func < (version: TLSVersion, other: TLSVersion) -> Bool { version.rawValue < other.rawValue }

    /// For people: `TLS 1.3`.
    public var description: String { "TLS 1.\(rawValue)" }
}
