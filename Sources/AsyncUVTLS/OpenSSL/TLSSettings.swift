internal import CTLS

/// What a ``TLSContext`` has at one time. Immutable; it lives as long as connections made with it.
@safe
final class TLSSettings: Sendable {
    // OpenSSL's contexts may be used by all threads, and ours has a lock for the rest.
    nonisolated(unsafe) let raw: OpaquePointer
    let isServer: Bool
    /// Whether a client checks whose certificate it gets.
    let verifies: Bool

    /// - Parameter trust: `nil` when the peer is not asked for a certificate.
    init(
        isServer: Bool, identities: [TLSIdentity], trust: TLSTrust?, isRequired: Bool, _ protocols: [String],
        _ versions: ClosedRange<TLSVersion>
    ) throws(TLSError) {
        self.isServer = isServer
        let verifies = trust?.verifies ?? false
        self.verifies = verifies
        let wire = try Self.onWire(protocols)
        if let pem = trust?.pem, !pem.isEmpty { try Self.check(pem) }
        if let trust, trust.verifies, !trust.usesSystem, trust.pem.isEmpty {
            throw .configuration(reason: "there is no certificate in the PEM text of the trusted authorities")
        }
        var problem = ctls_problem()
        let made = unsafe wire.lend { wire in
            unsafe (trust?.pem ?? []).lend { pem in
                let all: [OpaquePointer?] = unsafe identities.map { unsafe $0.raw }
                return unsafe all.withUnsafeBufferPointer { all in
                    var options = unsafe ctls_options()
                    unsafe options.is_server = isServer
                    unsafe options.oldest_version = CInt(versions.lowerBound.rawValue)
                    unsafe options.newest_version = CInt(versions.upperBound.rawValue)
                    unsafe options.peer =
                        verifies ? (isRequired ? CTLS_PEER_REQUIRED : CTLS_PEER_OPTIONAL) : CTLS_PEER_IGNORED
                    unsafe options.trusts_system = trust?.usesSystem ?? false
                    unsafe options.trusted = pem
                    unsafe options.identities = all.baseAddress
                    unsafe options.identity_count = all.count
                    unsafe options.protocols = wire
                    return unsafe ctls_context_new(&options, &problem)
                }
            }
        }
        guard let made = unsafe made else { throw problem.error }
        unsafe raw = made
    }

    deinit { unsafe ctls_context_free(raw) }

    private static func check(_ pem: [UInt8]) throws(TLSError) {
        var problem = ctls_problem()
        if unsafe pem.lend({ unsafe ctls_count_certificates($0, &problem) }) < 0 { throw problem.error }
    }

    /// Each name behind its length.
    private static func onWire(_ protocols: [String]) throws(TLSError) -> [UInt8] {
        var wire: [UInt8] = []
        for name in protocols {
            guard (1...255).contains(name.utf8.count) else {
                throw .configuration(reason: "an application protocol has 1 to 255 bytes, not \(name.utf8.count)")
            }
            wire.append(UInt8(name.utf8.count))
            wire += name.utf8
        }
        if wire.count > 65_535 { throw .configuration(reason: "too many application protocols") }
        return wire
    }
}
