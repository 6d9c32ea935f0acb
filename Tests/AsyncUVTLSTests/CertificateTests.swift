import AsyncUV
import TestSupport
import Testing

@testable import AsyncUVTLS

@Suite(.ownThread, .inTurn) struct CertificateTests {
    // MARK: Servers

    @Test(arguments: ["localhost", "LOCALHOST", "example.test", "127.0.0.1", "::1", "[::1]", "localhost."])
    func names(_ name: String) throws {
        try onLoop { _ in
            let (client, server) = try await tlsPair(name: name)
            // An address has no place in SNI.
            #expect((server.serverName == nil) == (name.contains(":") || name.hasPrefix("127")))
            await client.close()
            await server.close()
        }
    }

    @Test(arguments: [
        ("server", "other.test", TLSCertificateProblem.Check.wrongHost), ("server", "127.0.0.2", .wrongAddress),
        ("server", "sub.localhost", .wrongHost), ("wildcard", "wild.test", .wrongHost),
        ("wildcard", "a.b.wild.test", .wrongHost), ("expired", "localhost", .expired),
        ("self-signed", "localhost", .selfSigned), ("behind", "localhost", .unknownAuthority),
    ]) func refused(_ certificate: String, _ name: String, _ expected: TLSCertificateProblem.Check) throws {
        try onLoop { _ in
            let errors = try await handshakeErrors(server: serverContext(certificate), name: name)
            let found = check(of: errors.client)
            #expect(found == expected || (expected == .unknownAuthority && found?.rawValue == 20))
            guard case .certificate(let problem)? = errors.client as? TLSError else { return }
            #expect(problem.expectedName == name && problem.certificate != nil)
            #expect("\(problem)".contains("127.0.0.1"))
            if expected == .wrongHost { #expect("\(problem)".contains("not for \(name)")) }
            if expected == .expired { #expect("\(problem)".contains("expired at 2021-01-01 00:00 UTC")) }
            // The alert has arrived although the client has hung up.
            guard case .alert? = errors.server as? TLSError else {
                Issue.record("the server got \(String(describing: errors.server))")
                return
            }
        }
    }

    @Test func unknownAuthority() throws {
        try onLoop { _ in
            let errors = try await handshakeErrors(client: clientContext(trust: "other-authority"))
            let found = check(of: errors.client)
            #expect(found == .unknownAuthority || found == .untrustedAuthority)
            #expect(isAlert(errors.server, .unknownAuthority))
            let system = try await handshakeErrors(client: .client())
            #expect(check(of: system.client) == .unknownAuthority)
        }
    }

    @Test func wildcardsAndChains() throws {
        try onLoop { _ in
            for (context, name) in [
                (try serverContext("wildcard"), "a.wild.test"),
                (try serverContext("behind", chain: "behind-chain"), "localhost"),
            ] {
                let (client, server) = try await tlsPair(server: context, name: name)
                await client.close()
                await server.close()
            }
        }
    }

    /// A certificate that is trusted itself needs no authority; an intermediate does as one.
    @Test func whoIsTrustedIsTrusted() throws {
        try onLoop { _ in
            for (context, trust) in [
                (try serverContext("self-signed"), "self-signed"), (try serverContext("behind"), "intermediate"),
                (try serverContext("server"), "server"),
            ] {
                let (client, server) = try await tlsPair(client: clientContext(trust: trust), server: context)
                await client.close()
                await server.close()
            }
            let anybody = try TLSContext.client(trust: .dangerouslyUnverified)
            let (client, server) = try await tlsPair(client: anybody, server: serverContext("expired"), name: nil)
            #expect(client.peerCertificate?.subject.contains("expired") == true)
            await client.close()
            await server.close()
        }
    }

    @Test func aNameIsNeeded() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            await expectFailure {
                if case .configuration? = $0 as? TLSError { true } else { false }
            } _: {
                try await TLSConnection.secure(near, as: .client, context: clientContext())
            }
            await expectFailure {
                if case .configuration? = $0 as? TLSError { true } else { false }
            } _: {
                try await TLSConnection.secure(far, as: .client, context: serverContext(), serverName: "localhost")
            }
        }
    }

    /// C would take what is before it for the name.
    @Test func namesWithANUL() throws {
        try onLoop { _ in
            let certificate = try #require(try identity("server").certificate)
            #expect(certificate.isValid(for: "localhost") && !certificate.isValid(for: "localhost\0.evil.org"))
            await expectFailure {
                if case .configuration? = $0 as? TLSError { true } else { false }
            } _: {
                try await tlsPair(name: "localhost\0.evil.org")
            }
        }
    }

    // MARK: Clients

    @Test func clientCertificates() throws {
        try onLoop { _ in
            let trust = TLSTrust.pem(try pem("authority"))
            let required = try serverContext(clients: .required(trust))
            let (client, server) = try await tlsPair(client: clientContext("client"), server: required)
            #expect(server.peerCertificate?.subject.contains("a client") == true)
            await client.close()
            await server.close()

            let optional = try serverContext(clients: .optional(trust))
            let (other, otherServer) = try await tlsPair(server: optional)
            #expect(otherServer.peerCertificate == nil)
            await other.close()
            await otherServer.close()
        }
    }

    /// With TLS 1.3 the client's handshake ends before the server has looked at its certificate.
    @Test func missingAndForeignClientCertificates() throws {
        try onLoop { _ in
            let trust = TLSTrust.pem(try pem("authority"))
            let required = try serverContext(clients: .required(trust))
            let missing = try await handshakeErrors(server: required, clientReads: true)
            #expect(check(of: missing.server) == .missing && isAlert(missing.client, .certificateRequired))
            for context in [required, try serverContext(clients: .optional(trust))] {
                let foreign = try await handshakeErrors(
                    client: clientContext("foreign-client"), server: context, clientReads: true)
                #expect(check(of: foreign.server) != nil)
                guard case .alert? = foreign.client as? TLSError else {
                    Issue.record("the client got \(String(describing: foreign.client))")
                    return
                }
            }
        }
    }

    // MARK: Files

    @Test func wrongFiles() throws {
        func reason(_ body: () throws -> Void) -> String {
            do { try body() } catch { if case .configuration(let reason)? = error as? TLSError { return reason } }
            return ""
        }
        let server = try pem("server")
        #expect(
            reason { _ = try TLSIdentity(certificateChainPEM: server, privateKeyPEM: pem("client.key")) }
                == "the private key is not that of the certificate")
        #expect(
            reason { _ = try TLSIdentity(certificateChainPEM: "nonsense", privateKeyPEM: pem("server.key")) }
                == "there is no certificate in the PEM text of the certificate chain")
        #expect(
            reason { _ = try TLSIdentity(certificateChainPEM: server, privateKeyPEM: server) }
                == "there is no private key in the PEM text of the private key")
        let broken = server.replacing("A", with: "!")
        #expect(
            reason { _ = try TLSIdentity(certificateChainPEM: broken, privateKeyPEM: pem("server.key")) }
                .hasPrefix("the certificate cannot be read"))
        let encrypted = try pem("server-encrypted.key")
        #expect(
            reason { _ = try TLSIdentity(certificateChainPEM: server, privateKeyPEM: encrypted) }
                == "the private key is encrypted, and there is no passphrase")
        #expect(
            reason { _ = try TLSIdentity(certificateChainPEM: server, privateKeyPEM: encrypted, passphrase: "wrong") }
                == "the private key cannot be decrypted: wrong passphrase?")
        let identity = try TLSIdentity(certificateChainPEM: server, privateKeyPEM: encrypted, passphrase: "secret")
        #expect(identity.certificate?.isValid(for: "example.test") == true)
        #expect(identity.certificate?.isValid(for: "127.0.0.9") == false)
        #expect(reason { _ = try TLSContext.client(trust: .pem("")) }.contains("there is no certificate"))
        #expect(reason { _ = try TLSContext.client(trust: .pem("nonsense")) }.contains("there is no certificate"))
        #expect(reason { _ = try TLSContext.client(trust: .pem(broken)) }.contains("cannot be read"))
        #expect(
            reason { _ = try clientContext(protocols: [""]) } == "an application protocol has 1 to 255 bytes, not 0")
        #expect(reason { try clientContext().reload(from: serverContext()) } != "")
    }

    /// OpenSSL would ask for a passphrase on the terminal, and wait.
    @Test func encryptedCertificatesAskNobody() throws {
        let certificate = try pem("server")
        let encrypted = certificate.replacing(
            "-----BEGIN CERTIFICATE-----\n",
            with: """
                -----BEGIN CERTIFICATE-----
                Proc-Type: 4,ENCRYPTED
                DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF


                """)
        for passphrase in [nil, "wrong"] {
            #expect(throws: TLSError.self) {
                try TLSIdentity(
                    certificateChainPEM: encrypted, privateKeyPEM: pem("server.key"), passphrase: passphrase)
            }
        }
        for trust in [encrypted, certificate + encrypted] {
            #expect(throws: TLSError.self) { try TLSContext.client(trust: .pem(trust)) }
            #expect(throws: TLSError.self) {
                try TLSContext.server(identity: identity("server"), clientCertificates: .required(.pem(trust)))
            }
        }
    }

    @Test func dates() {
        #expect(utcText(FileTime(seconds: 0)) == "1970-01-01 00:00 UTC")
        #expect(utcText(FileTime(seconds: 951_782_400)) == "2000-02-29 00:00 UTC")
        #expect(utcText(FileTime(seconds: 4_107_542_399)) == "2100-02-28 23:59 UTC")
        #expect(utcText(FileTime(seconds: -1)) == "1969-12-31 23:59 UTC")
    }
}
