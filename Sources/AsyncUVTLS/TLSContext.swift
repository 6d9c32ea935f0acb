internal import Synchronization

/// What the connections of a client or of a server share: certificates, whom to trust, protocols.
///
/// Make one and keep it: making it reads the system's authorities, a few milliseconds, and sessions are resumed within a context.
/// All loops may use one context. What it says is replaced by ``reload(from:)`` only.
public final class TLSContext: Sendable {
    private let current: Mutex<TLSSettings>
    /// Whether it is for servers.
    public let isServer: Bool

    private init(_ settings: TLSSettings) {
        isServer = settings.isServer
        current = Mutex(settings)
    }

    var settings: TLSSettings { current.withLock { $0 } }

    /// A context for connections to servers.
    ///
    /// - Parameter trust: Whose servers are trusted.
    /// - Parameter identity: Who we are, for servers that ask.
    /// - Parameter applicationProtocols: What is to be spoken (ALPN), the most wanted first: `["h2", "http/1.1"]`. A server that
    ///   has none of them refuses the connection, or says nothing: see ``TLSConnection/applicationProtocol``.
    /// - Throws: ``TLSError/configuration(reason:)``.
    public static func client(
        trust: TLSTrust = .system, identity: TLSIdentity? = nil, applicationProtocols: [String] = [],
        versions: ClosedRange<TLSVersion> = .v1_2 ... .v1_3
    ) throws(TLSError) -> TLSContext {
        TLSContext(
            try TLSSettings(
                isServer: false, identities: identity.map { [$0] } ?? [], trust: trust, isRequired: true,
                applicationProtocols, versions))
    }

    /// A context for connections from clients.
    ///
    /// - Parameter identity: Who we are.
    /// - Parameter otherIdentities: Who else we are: a client that asks for a name (SNI) gets the first identity whose certificate is
    ///   for it, else `identity`. Of identities for the same name with different kinds of keys, RSA and ECDSA, it gets the one that it knows.
    /// - Parameter clientCertificates: Whether clients are asked for certificates.
    /// - Parameter applicationProtocols: What can be spoken (ALPN), the most wanted first. A client that offers none of them is
    ///   refused; a client that offers nothing is not.
    /// - Throws: ``TLSError/configuration(reason:)``.
    public static func server(
        identity: TLSIdentity, otherIdentities: [TLSIdentity] = [],
        clientCertificates: TLSClientCertificates = .notAsked, applicationProtocols: [String] = [],
        versions: ClosedRange<TLSVersion> = .v1_2 ... .v1_3
    ) throws(TLSError) -> TLSContext {
        let (trust, isRequired): (TLSTrust?, Bool) =
            switch clientCertificates {
            case .notAsked: (nil, false)
            case .optional(let trust): (trust, false)
            case .required(let trust): (trust, true)
            }
        return TLSContext(
            try TLSSettings(
                isServer: true, identities: [identity] + otherIdentities, trust: trust, isRequired: isRequired,
                applicationProtocols, versions))
    }

    /// Takes over what another context says, for connections from now on; those that there are go on. A server whose certificate
    /// has been renewed does so without a pause. Sessions of before are not resumed.
    ///
    /// - Throws: ``TLSError/configuration(reason:)`` when one is for servers and the other for clients.
    public func reload(from other: TLSContext) throws(TLSError) {
        if other.isServer != isServer {
            throw .configuration(
                reason: "a context of a server cannot take over that of a client, nor the other way round")
        }
        let settings = other.settings
        current.withLock { $0 = settings }
    }
}
