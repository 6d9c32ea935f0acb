@_exported public import AsyncTestSupport
import AsyncUV
import AsyncUVTLS
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing
import UV

/// Where the certificates of the tests are.
let certificates = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Certificates").path

func pem(_ name: String) throws -> String { try String(contentsOfFile: "\(certificates)/\(name).pem", encoding: .utf8) }

func identity(_ name: String, chain: String? = nil) throws -> TLSIdentity {
    try TLSIdentity(certificateChainPEM: pem(chain ?? name), privateKeyPEM: pem("\(name).key"))
}

/// Contexts of the tests' authority.
func serverContext(
    _ name: String = "server", chain: String? = nil, clients: TLSClientCertificates = .notAsked,
    protocols: [String] = [], versions: ClosedRange<TLSVersion> = .v1_2 ... .v1_3
) throws -> TLSContext {
    try .server(
        identity: identity(name, chain: chain), clientCertificates: clients, applicationProtocols: protocols,
        versions: versions)
}

func clientContext(_ name: String? = nil, protocols: [String] = [], trust: String = "authority") throws -> TLSContext {
    try .client(
        trust: .pem(pem(trust)), identity: name.map { try identity($0) }, applicationProtocols: protocols)
}

/// Both sides of a TLS connection: the client's and the server's.
func tlsPair(
    client: TLSContext? = nil, server: TLSContext? = nil, name: String? = "localhost"
) async throws -> (TLSConnection, TLSConnection) {
    let (near, far) = try await connectedPair()
    return try await secured(near, far, client, server, name)
}

func secured(
    _ near: some ByteStream, _ far: some ByteStream, _ client: TLSContext? = nil, _ server: TLSContext? = nil,
    _ name: String? = "localhost"
) async throws -> (TLSConnection, TLSConnection) {
    let (client, server) = (try client ?? clientContext(), try server ?? serverContext())
    let loop = near.loop
    let serving = loop.spawn { try await TLSConnection.secure(far, as: .server, context: server) }
    let connection = try await TLSConnection.secure(near, as: .client, context: client, serverName: name)
    return (connection, try await serving.value)
}

/// What a client and a server say when they cannot agree; `nil` for a side that finds nothing wrong.
func handshakeErrors(
    client: TLSContext? = nil, server: TLSContext? = nil, name: String? = "localhost", clientReads: Bool = false
) async throws -> (client: (any Error)?, server: (any Error)?) {
    let (client, server) = (try client ?? clientContext(), try server ?? serverContext())
    let (near, far) = try await connectedPair()
    let loop = near.loop
    let serving = loop.spawn {
        let connection = try await TLSConnection.secure(far, as: .server, context: server)
        _ = try? await connection.read()
        await connection.close()
    }
    var clientError: (any Error)?
    do {
        let connection = try await TLSConnection.secure(near, as: .client, context: client, serverName: name)
        if clientReads { _ = try await connection.read() }
        await connection.close()
    } catch { clientError = error }
    var serverError: (any Error)?
    if case .failure(let error) = await serving.result { serverError = error }
    return (clientError, serverError)
}

func failure<Value: Sendable>(of task: Task<Value, any Error>) async -> (any Error)? {
    if case .failure(let error) = await task.result { error } else { nil }
}

func code(of error: (any Error)?) -> UVError.Code? { (error as? UVError)?.code }

func isTruncated(_ error: (any Error)?) -> Bool {
    if case .truncated? = error as? TLSError { true } else { false }
}

func isAlert(_ error: (any Error)?, _ alert: TLSAlert) -> Bool {
    if case .alert(alert, _)? = error as? TLSError { true } else { false }
}

func check(of error: (any Error)?) -> TLSCertificateProblem.Check? {
    if case .certificate(let problem)? = error as? TLSError { problem.check } else { nil }
}

/// Expects that a body throws an error that passes.
nonisolated(nonsending) func expectFailure<Value>(
    _ passes: (any Error) -> Bool, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: nonisolated(nonsending) () async throws -> Value
) async {
    do {
        _ = try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch { if !passes(error) { Issue.record("thrown was \(error)", sourceLocation: sourceLocation) } }
}

/// What several tasks write to.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>
    init(_ value: Value) { mutex = Mutex(value) }
    var value: Value {
        get { mutex.withLock { $0 } }
        set { mutex.withLock { $0 = newValue } }
    }
    func change(_ body: @Sendable (inout Value) -> Void) { mutex.withLock { value in body(&value) } }
}
