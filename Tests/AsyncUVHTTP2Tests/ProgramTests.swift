import AsyncUV
import AsyncUVHTTP
import AsyncUVHTTP2
import AsyncUVTLS
import Foundation
import HTTPTypes
import TestSupport
import Testing
import UV

/// Clients of others: curl, h2load. Each test does nothing where its program is missing.
@Suite(.ownThread) struct ProgramTests {
    private static func find(_ program: String) -> String? {
        ["/usr/bin", "/bin", "/usr/local/bin"].map { "\($0)/\(program)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    private static let handler: HTTPServer.Handler = { request, response in
        if request.head.path == "/echo" { return try await response.send(.ok, [:], request.body.collect()) }
        try await response.send(text: "\(request.head.method) hello\n")
    }

    @Test func curlWithPriorKnowledge() throws {
        guard let curl = Self.find("curl") else { return }
        try withSite(HTTP2Server(), Self.handler) { site in
            let url = "http://\(site.listener.localAddress)/"
            let common = ["-sS", "-w", "%{http_version} %{http_code}"]
            for (arguments, expected) in [
                (["--http2-prior-knowledge", url], "GET hello\n2 200"),
                (["--http2-prior-knowledge", "-I", "-o", "/dev/null", url], "2 200"),
                (["--http2-prior-knowledge", "-d", "abc", url + "echo"], "abc2 200"),
                (["--http1.1", url], "GET hello\n1.1 200"),
            ] {
                let result = try await ChildProcess.run(curl, common + arguments, on: site.loop)
                #expect(result.text == expected, "\(arguments): \(result.errorText)")
            }
        }
    }

    private static let certificates = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "AsyncUVTLSTests/Certificates").path

    private static func pem(_ name: String) throws -> String {
        try String(contentsOfFile: "\(certificates)/\(name).pem", encoding: .utf8)
    }

    private static func serverContext() throws -> TLSContext {
        try TLSContext.server(
            identity: TLSIdentity(certificateChainPEM: pem("server"), privateKeyPEM: pem("server.key")),
            applicationProtocols: HTTP2Server.applicationProtocols)
    }

    /// A client that ends below TLS, without close_notify, has gone.
    @Test func clientsThatAreCutOff() throws {
        try onLoop { loop in
            let context = try Self.serverContext()
            let trusting = try TLSContext.client(trust: .pem(Self.pem("authority")))
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let server = HTTP2Server()
            let errors = Shared<[String]>([])
            let report: @Sendable (any Error, SocketAddress?) -> Void = { error, _ in
                errors.change { $0.append("\(error)") }
            }
            let serving = loop.spawn {
                try await listener.serve(tls: context, onError: report) {
                    try await server.serve($0, onError: report, Self.handler)
                }
            }
            for way in ["nothing", "half", "answered"] {
                let socket = try await TCPConnection.connect(to: listener.localAddress, on: loop)
                let connection = try await TLSConnection.secure(
                    socket, as: .client, context: trusting, serverName: "localhost")
                let client = RawClient(connection)
                switch way {
                case "half": try await connection.write(Array(Frame.preface.prefix(10)))
                case "answered": #expect(try await client.answer(client.request()).status == 200)
                default: break
                }
                try await socket.withHandle { _ = shutdown(try $0.fileDescriptor.rawValue, CInt(SHUT_WR)) }
                while try await connection.read() != nil {}
                await connection.close()
            }
            await listener.close()
            try await serving.value
            #expect(errors.value == [])
        }
    }

    @Test func curlOverTLS() throws {
        guard let curl = Self.find("curl") else { return }
        try onLoop { loop in
            let context = try Self.serverContext()
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let server = HTTP2Server()
            let serving = loop.spawn {
                try await listener.serve(tls: context) { try await server.serve($0, Self.handler) }
            }
            let url = "https://localhost:\(listener.localAddress.port)/"
            let common = [
                "-sS", "-4", "--cacert", "\(Self.certificates)/authority.pem", "-w", "%{http_version} %{http_code}",
            ]
            let body = String(repeating: "0123456789", count: 10_000)
            for (arguments, expected) in [
                (["--http2", url, url], "GET hello\n2 200GET hello\n2 200"),
                (["--http2", "-d", body, url + "echo"], body + "2 200"),
                (["--http1.1", url], "GET hello\n1.1 200"),
            ] {
                let result = try await ChildProcess.run(curl, common + arguments, on: loop)
                #expect(result.text == expected, "\(arguments.last ?? ""): \(result.errorText)")
            }
            await listener.close()
            try await serving.value
        }
    }

    @Test func h2load() throws {
        guard let h2load = Self.find("h2load") else { return }
        try withSite(HTTP2Server(), Self.handler) { site in
            let result = try await ChildProcess.run(
                h2load, ["-n", "2000", "-c", "4", "-m", "50", "http://\(site.listener.localAddress)/"], on: site.loop)
            #expect(result.text.contains("2000 succeeded, 0 failed, 0 errored"), "\(result.text)")
            #expect(site.server.http.statistics.requests == 2_000)
        }
    }
}
