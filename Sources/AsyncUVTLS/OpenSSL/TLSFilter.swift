internal import AsyncUV
internal import CTLS
internal import UV

/// One side of a TLS connection between a stream's socket and its readers and writers. On the loop's thread only, but for `agreed`,
/// which is set before others see it.
@safe
final class TLSFilter: StreamFilter, @unchecked Sendable {
    private enum End {
        case finished
        case failed(UVError)
    }

    private let engine: OpaquePointer
    /// Frees OpenSSL's context after the engine.
    private let settings: TLSSettings
    private let peer: String?
    private let expectedName: String?
    @exclusivity(unchecked) private var isReady = false
    @exclusivity(unchecked) private var end: End?
    private var failure: TLSError?
    /// What the handshake has come to.
    private(set) var agreed: TLSAgreement?

    /// - Parameter serverName: Whom a client wants to talk with.
    /// - Parameter sessionKey: By which a client finds an earlier session with the same server.
    init(_ settings: TLSSettings, serverName: String?, sessionKey: String?, peer: String?) throws {
        self.settings = settings
        self.peer = peer
        expectedName = serverName
        var problem = ctls_problem()
        let made = unsafe serverName.lend { name in
            unsafe sessionKey.lend { key in unsafe ctls_engine_new(settings.raw, name, key, &problem) }
        }
        guard let made = unsafe made else { throw problem.error }
        unsafe engine = made
    }

    deinit { unsafe ctls_engine_free(engine) }

    // MARK: Reading

    func receive(_ bytes: Span<UInt8>) {
        // Lent until `keepRest`.
        unsafe bytes.withUnsafeBufferPointer { unsafe ctls_engine_give(engine, $0.baseAddress, $0.count) }
    }

    func keepRest() { unsafe ctls_engine_keep_input(engine) }

    func receiveEnd(_ error: UVError?) { unsafe end = error.map { .failed($0) } ?? .finished }

    func take(upTo limit: Int) throws(UVError) -> FilteredBytes {
        if unsafe isReady { return try takeBytes(limit) }
        switch unsafe ctls_engine_handshake(engine) {
        case CTLS_OK:
            unsafe isReady = true
            agreed = makeAgreement()
            return .bytes([])
        case CTLS_STARVED: return try nothing()
        case CTLS_CLOSED: throw fail(.protocolViolation(reason: "the peer finished during the handshake", peer: peer))
        default: throw fail(makeFailure())
        }
    }

    private func takeBytes(_ limit: Int) throws(UVError) -> FilteredBytes {
        let room = unsafe min(limit, ctls_engine_available(engine))
        if room == 0, unsafe !ctls_engine_is_over(engine) { return try nothing() }
        var count = 0
        var status = CTLS_STARVED
        var bytes: [UInt8] = []
        if room > 0 {
            unsafe bytes.fill(upTo: room) { start in
                unsafe status = ctls_engine_take(engine, start, room, &count)
                return count
            }
        } else {
            unsafe status = ctls_engine_take(engine, nil, 0, &count)
        }
        switch status {
        case CTLS_OK: return .bytes(bytes)
        case CTLS_STARVED: return try nothing()
        case CTLS_CLOSED: return .ended
        default: throw fail(makeFailure())
        }
    }

    private func nothing() throws(UVError) -> FilteredBytes {
        switch unsafe end {
        case nil: return .nothing
        case .failed(let error): throw error
        case .finished where unsafe isReady: throw fail(.truncated(peer: peer))
        case .finished: throw fail(.protocolViolation(reason: "the peer hung up during the handshake", peer: peer))
        }
    }

    // MARK: Writing

    func seal(_ bytes: Span<UInt8>) throws(UVError) {
        let status = unsafe bytes.withUnsafeBufferPointer { unsafe ctls_engine_seal(engine, $0.baseAddress, $0.count) }
        if status != CTLS_OK { throw fail(makeFailure()) }
    }

    func sealEnd() { unsafe ctls_engine_finish(engine) }

    var unsentCount: Int { unsafe ctls_engine_output(engine).count }

    func send(_ body: (Span<UInt8>) throws(UVError) -> Int) throws(UVError) {
        let output = unsafe ctls_engine_output(engine)
        guard unsafe output.count > 0, let start = unsafe output.bytes else { return }
        let taken = try unsafe body(Span(_unsafeStart: start, count: output.count))
        unsafe ctls_engine_sent(engine, taken)
    }

    /// Changes the keys of both sides (TLS 1.3); for tests. What it says leaves with the next write.
    func updateKeys() -> Bool { unsafe ctls_engine_update_keys(engine) }

    // MARK: Failures

    func presented(_ error: UVError) -> any Error {
        if error.code == .protocolError, let failure { return failure }
        return error
    }

    /// Keeps what users are told, and returns what stands for it in the callback layer.
    private func fail(_ error: TLSError) -> UVError {
        if failure == nil { failure = error }
        return UVError(.protocolError, in: unsafe isReady ? "read" : "handshake", from: peer)
    }

    private func makeFailure() -> TLSError {
        let failure = unsafe ctls_engine_failure(engine)
        switch unsafe failure.kind {
        case CTLS_FAILURE_ALERT: return unsafe .alert(TLSAlert(rawValue: UInt8(failure.number)), peer: peer)
        case CTLS_FAILURE_CERTIFICATE:
            let certificate = unsafe TLSCertificate(ctls_engine_failed_certificate(engine))
            let check = TLSCertificateProblem.Check(rawValue: unsafe Int(failure.number))
            return .certificate(TLSCertificateProblem(check, expectedName, certificate, peer: peer))
        case CTLS_FAILURE_NO_CERTIFICATE:
            return .certificate(TLSCertificateProblem(.missing, expectedName, nil, peer: peer))
        default: return .protocolViolation(reason: unsafe String(cString: failure.text), peer: peer)
        }
    }

    private func makeAgreement() -> TLSAgreement {
        let name = unsafe ctls_engine_protocol(engine)
        let applicationProtocol =
            unsafe name.count == 0
            ? nil : String(decoding: UnsafeBufferPointer(start: name.bytes, count: name.count), as: UTF8.self)
        return unsafe TLSAgreement(
            version: TLSVersion(rawValue: Int(ctls_engine_version(engine))) ?? .v1_2,
            applicationProtocol: applicationProtocol,
            isResumed: ctls_engine_is_resumed(engine),
            serverName: settings.isServer
                ? ctls_engine_server_name(engine).map { unsafe String(cString: $0) } : expectedName,
            peerCertificate: TLSCertificate(ctls_engine_peer_certificate(engine)),
            rawCipher: ctls_engine_cipher(engine))
    }
}

/// What the two sides of a connection have agreed on.
@safe
struct TLSAgreement: @unchecked Sendable {
    let version: TLSVersion
    let applicationProtocol: String?
    let isResumed: Bool
    let serverName: String?
    let peerCertificate: TLSCertificate?
    /// A constant of OpenSSL.
    let rawCipher: UnsafePointer<CChar>?

    var cipherSuite: String { unsafe rawCipher.map { unsafe String(cString: $0) } ?? "" }
}

/// Whether text is an IP address, which has no server name in TLS.
func isAddress(_ host: String) -> Bool { unsafe ctls_is_address(host) }
