/// Whose certificates are trusted.
public struct TLSTrust: Sendable {
    let usesSystem: Bool
    let pem: [UInt8]
    let verifies: Bool

    /// The authorities that the system trusts: OpenSSL's, which `SSL_CERT_FILE` and `SSL_CERT_DIR` name, if they are set.
    public static let system = TLSTrust(usesSystem: true, pem: [], verifies: true)

    /// These authorities, and no others. A certificate that is among them itself is trusted, too.
    public static func pem(_ certificates: String) -> TLSTrust { pem(Array(certificates.utf8)) }

    /// As the other one, with the bytes of a file.
    public static func pem(_ certificates: [UInt8]) -> TLSTrust {
        TLSTrust(usesSystem: false, pem: certificates, verifies: true)
    }

    /// The system's authorities and these.
    public static func systemAndPEM(_ certificates: String) -> TLSTrust { systemAndPEM(Array(certificates.utf8)) }

    /// As the other one, with the bytes of a file.
    public static func systemAndPEM(_ certificates: [UInt8]) -> TLSTrust {
        TLSTrust(usesSystem: true, pem: certificates, verifies: true)
    }

    /// Anybody: whoever can reach the connection can read and change everything. For tests only.
    public static let dangerouslyUnverified = TLSTrust(usesSystem: false, pem: [], verifies: false)
}

/// Whether a server asks its clients for certificates.
public enum TLSClientCertificates: Sendable {
    /// It does not.
    case notAsked
    /// A client may have one, which must be trusted then.
    case optional(TLSTrust)
    /// A client must have one that is trusted.
    case required(TLSTrust)
}
