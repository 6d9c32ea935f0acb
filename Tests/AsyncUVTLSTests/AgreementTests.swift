import AsyncUV
import TestSupport
import Testing
import UV

@testable import AsyncUVTLS

/// Protocols, names, sessions, new contexts.
@Suite(.ownThread, .inTurn) struct AgreementTests {
    @Test(
        arguments: [
            (["h2", "http/1.1"], ["http/1.1", "h2"], "http/1.1"), (["h2"], ["h2", "http/1.1"], "h2"), ([], ["h2"], nil),
            (["h2"], [], nil),
        ] as [([String], [String], String?)])
    func applicationProtocols(_ client: [String], _ server: [String], _ expected: String?) throws {
        try onLoop { _ in
            let (one, other) = try await tlsPair(
                client: clientContext(protocols: client), server: serverContext(protocols: server))
            #expect(one.applicationProtocol == expected && other.applicationProtocol == expected)
            await one.close()
            await other.close()
        }
    }

    @Test func noProtocolInCommon() throws {
        try onLoop { _ in
            let errors = try await handshakeErrors(
                client: clientContext(protocols: ["h2"]), server: serverContext(protocols: ["http/1.1"]))
            #expect(isAlert(errors.client, .noApplicationProtocol))
            #expect(errors.server is TLSError)
        }
    }

    @Test func theServerChoosesItsIdentity() throws {
        try onLoop { _ in
            let server = try TLSContext.server(
                identity: identity("server"),
                otherIdentities: [identity("wildcard"), identity("behind", chain: "behind-chain")])
            for (name, subject) in [("localhost", "localhost"), ("x.wild.test", "wildcard")] {
                let (one, other) = try await tlsPair(server: server, name: name)
                #expect(one.peerCertificate?.subject.contains(subject) == true)
                #expect(other.serverName == name)
                await one.close()
                await other.close()
            }
        }
    }

    /// OpenSSL keeps a certificate for each kind of key, and a client takes any of them.
    @Test(arguments: [TLSVersion.v1_2, .v1_3]) func identitiesWithOtherKindsOfKeys(_ version: TLSVersion) throws {
        try onLoop { _ in
            for names in [["server", "rsa-other"], ["rsa-other", "server"]] {
                let server = try TLSContext.server(
                    identity: identity(names[0]), otherIdentities: [identity(names[1])], versions: version...version)
                for (name, subject) in [("localhost", "localhost"), ("rsa.test", "rsa-other")] {
                    let (one, other) = try await tlsPair(server: server, name: name)
                    #expect(one.peerCertificate?.subject.contains(subject) == true)
                    await one.close()
                    await other.close()
                }
            }
        }
    }

    /// A server may have a certificate of each kind for the same name: who knows nothing of elliptic curves gets the other one.
    @Test func twoKindsOfKeysForOneName() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let context = try TLSContext.server(
                identity: identity("server"), otherIdentities: [identity("rsa-other"), identity("rsa-server")])
            let serving = loop.spawn { try await listener.serve(tls: context) { await $0.close() } }
            for (algorithm, subject) in [("ECDSA+SHA256", "localhost"), ("RSA-PSS+SHA256", "rsa-server")] {
                let result = try await ChildProcess.run(
                    "openssl",
                    [
                        "s_client", "-connect", "127.0.0.1:\(listener.localAddress.port)", "-servername", "localhost",
                        "-sigalgs", algorithm,
                    ])
                let text = result.text + result.errorText
                #expect(text.contains("subject=CN = \(subject)") || text.contains("subject=CN=\(subject)"), "\(text)")
            }
            await listener.close()
            try await serving.value
        }
    }

    /// Two loops, one context on each side; clients' sessions go on, also with certificates of their own.
    @Test(arguments: [false, true]) func sessionsAreResumed(_ asksClients: Bool) throws {
        try onLoop { loop in
            let group = try await EventLoopGroup(count: 2)
            let listeners = try await group.bind(host: "127.0.0.1", port: 0)
            let server = try serverContext(clients: asksClients ? .required(.pem(pem("authority"))) : .notAsked)
            let resumed = Shared<[Bool]>([])
            let serving = loop.spawn {
                try await EventLoopGroup.serve(listeners, tls: server) { connection in
                    resumed.change { $0.append(connection.isResumed) }
                    #expect((connection.peerCertificate != nil) == asksClients)
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            let client = try clientContext(asksClients ? "client" : nil)
            for round in 0..<8 {
                try await TLSConnection.withConnection(
                    host: "localhost", port: listeners[0].localAddress.port, context: client
                ) { connection in
                    try await connection.write("x")
                    _ = try await connection.read()
                    #expect(connection.isResumed == (round > 0))
                    #expect(connection.peerCertificate?.names.contains("localhost") == true)
                }
            }
            // Another name is another server.
            let other = try await TLSConnection.connect(
                host: "127.0.0.1", port: listeners[0].localAddress.port, context: client, serverName: "example.test")
            #expect(!other.isResumed)
            await other.close()
            for listener in listeners { await listener.close() }
            try await serving.value
            #expect(resumed.value == [false] + [Bool](repeating: true, count: 7) + [false])
            await group.shutdown()
        }
    }

    @Test func reload() throws {
        try onLoop { loop in
            let server = try serverContext("server")
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let serving = loop.spawn {
                try await listener.serve(tls: server) { for try await chunk in $0 { try await $0.write(chunk) } }
            }
            let client = try clientContext()
            func connect() async throws -> TLSConnection {
                try await .connect(host: "localhost", port: listener.localAddress.port, context: client)
            }
            let old = try await connect()
            try await old.write("x")
            #expect(try await old.read() == [120])
            try server.reload(from: serverContext("behind", chain: "behind-chain"))
            let new = try await connect()
            #expect(new.peerCertificate?.subject.contains("behind") == true && !new.isResumed)
            try await old.write("y")
            #expect(try await old.read() == [121])
            for connection in [old, new] { await connection.close() }
            await listener.close()
            try await serving.value
        }
    }

    @Test func versions() throws {
        try onLoop { _ in
            for version in [TLSVersion.v1_2, .v1_3] {
                let (one, other) = try await tlsPair(server: serverContext(versions: version...version))
                #expect(one.version == version && other.version == version)
                await one.close()
                await other.close()
            }
            let errors = try await handshakeErrors(
                client: .client(trust: .pem(pem("authority")), versions: .v1_2 ... .v1_2),
                server: serverContext(versions: .v1_3 ... .v1_3))
            #expect(isAlert(errors.client, .protocolVersion))
            #expect("\(errors.server.map { "\($0)" } ?? "")".contains("unsupported protocol"))
        }
    }
}
