package import AsyncUV

/// Why a TLS connection cannot be made, or cannot go on. What befalls the connection below it stays a `UVError`: a reset, a timeout.
public enum TLSError: Error, Sendable, Hashable {
    /// The peer, or somebody between, has ended the connection without saying that it has finished: more may have been meant to
    /// come. The bytes before it have been read.
    case truncated(peer: String?)
    /// The peer's certificate does not pass our checks.
    case certificate(TLSCertificateProblem)
    /// The peer does not want to go on, and says why. That our certificate does not pass, or that there is none, is such a reason;
    /// with TLS 1.3 a client hears it at its first read.
    case alert(TLSAlert, peer: String?)
    /// The peer does something that we do not take: no TLS at all, an old version, no common cipher, a broken record.
    case protocolViolation(reason: String, peer: String?)
    /// Certificates, keys or names that cannot be used. Thrown where contexts and identities are made.
    case configuration(reason: String)
}

extension TLSError: PeerError {
    package var departure: PeerDeparture? {
        switch self {
        case .truncated: .cutOff
        case .alert: .reset
        case .certificate, .protocolViolation, .configuration: nil
        }
    }
}

/// What a peer says when it ends a connection (RFC 8446, 6).
public struct TLSAlert: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `handshake_failure`: nothing in common, as a rule.
    public static let handshakeFailure = Self(rawValue: 40)
    /// `bad_certificate`.
    public static let badCertificate = Self(rawValue: 42)
    /// `certificate_expired`.
    public static let certificateExpired = Self(rawValue: 45)
    /// `unknown_ca`: the peer does not trust the authority of our certificate.
    public static let unknownAuthority = Self(rawValue: 48)
    /// `protocol_version`.
    public static let protocolVersion = Self(rawValue: 70)
    /// `certificate_required`: a client needs a certificate.
    public static let certificateRequired = Self(rawValue: 116)
    /// `no_application_protocol`.
    public static let noApplicationProtocol = Self(rawValue: 120)

    /// For people: `unknown CA (48)`.
    public var description: String { "\(text(ofAlert: rawValue)) (\(rawValue))" }
}

/// Which check a certificate has not passed, and what it has instead.
public struct TLSCertificateProblem: Hashable, Sendable {
    /// What was checked. An open set: the number is OpenSSL's (`X509_V_ERR_…`).
    public struct Check: RawRepresentable, Hashable, Sendable {
        public let rawValue: Int

        public init(rawValue: Int) { self.rawValue = rawValue }

        /// There is no certificate.
        public static let missing = Self(rawValue: -1)
        /// The certificate is for other hosts.
        public static let wrongHost = Self(rawValue: 62)
        /// The certificate is not for this IP address.
        public static let wrongAddress = Self(rawValue: 64)
        /// It is valid from a later time on.
        public static let notYetValid = Self(rawValue: 9)
        /// Its time is over.
        public static let expired = Self(rawValue: 10)
        /// It has signed itself, and is not trusted.
        public static let selfSigned = Self(rawValue: 18)
        /// The chain ends with an authority that is not trusted.
        public static let untrustedAuthority = Self(rawValue: 19)
        /// The authority that has signed it, or an intermediate between, is not known.
        public static let unknownAuthority = Self(rawValue: 20)
        /// Its authority has revoked it.
        public static let revoked = Self(rawValue: 23)
        /// It is not for servers, or not for clients.
        public static let wrongPurpose = Self(rawValue: 26)
    }

    /// The check that failed.
    public let check: Check
    /// The server's name that was asked for; `nil` for the certificate of a client.
    public let expectedName: String?
    /// The certificate, if there is one.
    public let certificate: TLSCertificate?
    /// Where the connection goes.
    public let peer: String?

    init(_ check: Check, _ expectedName: String?, _ certificate: TLSCertificate?, peer: String?) {
        self.check = check
        self.expectedName = expectedName
        self.certificate = certificate
        self.peer = peer
    }
}

extension TLSCertificateProblem: CustomStringConvertible {
    /// For people: `the certificate of 10.0.0.1:443 is for api.example.com, not for example.com`.
    public var description: String {
        let whose = peer.map { " of \($0)" } ?? ""
        guard let certificate else { return "the peer\(whose) has no certificate" }
        let subject = "the certificate\(whose)"
        switch check {
        case .wrongHost, .wrongAddress:
            let names = certificate.names.isEmpty ? "no host (\(certificate.subject))" : list(certificate.names)
            return "\(subject) is for \(names), not for \(expectedName ?? "the name that was asked for")"
        case .expired: return "\(subject) (\(certificate.subject)) expired at \(utcText(certificate.notAfter))"
        case .notYetValid:
            return "\(subject) (\(certificate.subject)) is valid from \(utcText(certificate.notBefore)) on"
        case .selfSigned: return "\(subject) (\(certificate.subject)) has signed itself and is not trusted"
        case .unknownAuthority, .untrustedAuthority, Check(rawValue: 2), Check(rawValue: 21):
            return "\(subject) (\(certificate.subject)) is signed by \(certificate.issuer), which is not trusted"
                + " or has not been sent along"
        default: return "\(subject) (\(certificate.subject)): \(text(ofCheck: check.rawValue))"
        }
    }

    private func list(_ names: [String]) -> String {
        let some = names.prefix(5).joined(separator: ", ")
        return names.count <= 5 ? some : "\(some) and \(names.count - 5) more"
    }
}

extension TLSError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let peer):
            "the TLS connection\(with(peer)) was cut off: it ended without the peer's close_notify"
        case .certificate(let problem): problem.description
        case .alert(let alert, let peer):
            "the peer\(peer.map { " \($0)" } ?? "") has ended the TLS connection: \(alert)"
        case .protocolViolation(let reason, let peer): "no TLS connection\(with(peer)): \(reason)"
        case .configuration(let reason): reason
        }
    }

    private func with(_ peer: String?) -> String { peer.map { " with \($0)" } ?? "" }
}

/// A point in time as people write it.
func utcText(_ time: FileTime) -> String {
    // Days since the first of March of the year 0: a year's last day is a leap day then.
    let daysSince1970 = floorDivide(time.seconds, 86_400)
    let rest = time.seconds - daysSince1970 * 86_400
    let days = daysSince1970 + 719_468
    let era = floorDivide(days, 146_097)
    let day = days - era * 146_097
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
    let dayOfYear = day - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let monthOfYear = month < 10 ? month + 3 : month - 9
    let dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
    let parts = [monthOfYear, dayOfMonth, rest / 3_600, rest / 60 % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
    return "\(year + era * 400 + (month < 10 ? 0 : 1))-\(parts[0])-\(parts[1]) \(parts[2]):\(parts[3]) UTC"
}

private func floorDivide(_ number: Int64, _ divisor: Int64) -> Int64 {
    number >= 0 ? number / divisor : -((-number + divisor - 1) / divisor)
}
