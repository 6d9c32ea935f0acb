internal import CTLS

/// A certificate, those between it and its authority, and its private key. Any thread.
@safe
public final class TLSIdentity: Sendable {
    // OpenSSL never changes it.
    nonisolated(unsafe) let raw: OpaquePointer

    /// Reads PEM texts.
    ///
    /// - Parameter certificateChainPEM: The certificate, then the one that has signed it, and so on; the authority's own is not needed.
    /// - Parameter privateKeyPEM: The certificate's private key.
    /// - Parameter passphrase: Of an encrypted key. Nobody is asked on the terminal.
    /// - Throws: ``TLSError/configuration(reason:)`` for what cannot be read, a wrong passphrase, a key of another certificate.
    public convenience init(
        certificateChainPEM: String, privateKeyPEM: String, passphrase: String? = nil
    ) throws(TLSError) {
        try self.init(
            certificateChainPEM: Array(certificateChainPEM.utf8), privateKeyPEM: Array(privateKeyPEM.utf8),
            passphrase: passphrase)
    }

    /// Reads PEM texts, as the bytes of files. Otherwise as ``init(certificateChainPEM:privateKeyPEM:passphrase:)-(String,_,_)``.
    public init(certificateChainPEM: [UInt8], privateKeyPEM: [UInt8], passphrase: String? = nil) throws(TLSError) {
        var problem = ctls_problem()
        let made = unsafe certificateChainPEM.lend { chain in
            unsafe privateKeyPEM.lend { key in
                unsafe passphrase.lend { unsafe ctls_identity_new(chain, key, $0, &problem) }
            }
        }
        guard let made = unsafe made else { throw problem.error }
        unsafe raw = made
    }

    deinit { unsafe ctls_identity_free(raw) }

    /// The identity's own certificate.
    public var certificate: TLSCertificate? { unsafe TLSCertificate(ctls_identity_certificate(raw)) }
}
