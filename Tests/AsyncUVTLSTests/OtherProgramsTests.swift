import AsyncUV
import Foundation
import TestSupport
import Testing
import UV

@testable import AsyncUVTLS

/// With openssl, curl, Python and Node at the other end.
@Suite(.ownThread, .inTurn) struct OtherProgramsTests {
    static func has(_ program: String) -> Bool {
        ["/usr/bin", "/usr/local/bin", "/bin"].contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
    }

    /// Serves for a body, which gets the port.
    private func withServer<Value: Sendable>(
        _ context: TLSContext, onError: @escaping @Sendable (any Error) -> Void = { Issue.record($0) },
        handler: @escaping @Sendable (TLSConnection) async throws -> Void = echo,
        _ body: @Sendable (UInt16) async throws -> Value
    ) async throws -> Value {
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
        let serving = listener.loop.spawn {
            try await listener.serve(
                tls: context, onHandshakeError: { error, _ in onError(error) }, onError: { error, _ in onError(error) },
                handler)
        }
        let value = try await body(UInt16(listener.localAddress.port))
        await listener.close()
        try await serving.value
        return value
    }

    private static let hasGnuTLS = ["x86_64", "aarch64"].contains {
        FileManager.default.fileExists(atPath: "/usr/lib/\($0)-linux-gnu/libgnutls.so.30")
    }

    /// Records without bytes are not the end. OpenSSL sends none, and GnuTLS only those of TLS 1.3 with padding.
    @Test(.enabled(if: hasGnuTLS && has("python3"))) func emptyRecords() throws {
        try onLoop { _ in
            let client = """
                import ctypes, socket, sys
                tls = ctypes.CDLL("libgnutls.so.30")
                tls.gnutls_record_send2.argtypes = [
                    ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_uint]
                tls.gnutls_record_recv.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
                session, credentials = ctypes.c_void_p(), ctypes.c_void_p()
                tls.gnutls_init(ctypes.byref(session), 2)
                tls.gnutls_certificate_allocate_credentials(ctypes.byref(credentials))
                tls.gnutls_priority_set_direct(session, b"NORMAL:-VERS-ALL:+VERS-TLS1.3", None)
                tls.gnutls_credentials_set(session, 1, credentials)
                connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                tls.gnutls_transport_set_int2(session, connection.fileno(), connection.fileno())
                assert tls.gnutls_handshake(session) == 0
                def send(text): assert tls.gnutls_record_send2(session, text, len(text), 16, 0) == len(text)
                buffer = ctypes.create_string_buffer(100)
                for text in [b"one", b"two"]:
                    send(b"")
                    send(text)
                    send(b"")
                    back = b""
                    while len(back) < 3:
                        count = tls.gnutls_record_recv(session, buffer, 100)
                        # Session tickets are told as if it were to try again.
                        if count in (-28, -52): continue
                        assert count > 0, count
                        back += buffer.raw[:count]
                    assert back == text
                send(b"")
                assert tls.gnutls_bye(session, 0) == 0
                print("whole")
                """
            let chunks = Shared<[Int]>([])
            try await withServer(
                serverContext(),
                handler: { connection in
                    for try await chunk in connection {
                        chunks.change { $0.append(chunk.count) }
                        try await connection.write(chunk)
                    }
                }
            ) { port in
                let result = try await ChildProcess.run("python3", ["-c", client, "\(port)"])
                #expect(result.text == "whole\n", "\(result.text) \(result.errorText)")
            }
            #expect(chunks.value == [3, 3])
        }
    }

    private static let echo: @Sendable (TLSConnection) async throws -> Void = { connection in
        for try await chunk in connection { try await connection.write(chunk) }
    }

    @Test(.enabled(if: has("openssl")), arguments: ["-tls1_2", "-tls1_3"]) func sClient(_ version: String) throws {
        try onLoop { _ in
            let text = String(repeating: "0123456789abcde\n", count: 4_000)
            try await withServer(serverContext(protocols: ["echo"])) { port in
                let (status, back) = try await ChildProcess.withProcess(
                    "openssl",
                    [
                        "s_client", "-connect", "127.0.0.1:\(port)", version, "-quiet", "-no_ign_eof", "-CAfile",
                        "\(certificates)/authority.pem", "-verify_return_error", "-verify_hostname", "localhost",
                        "-servername", "localhost", "-alpn", "echo",
                    ]
                ) { input, output, _ in
                    async let back = output.read(exactly: text.utf8.count)
                    try await input.write(text)
                    let bytes = try await back
                    try await input.finishWriting()
                    return bytes
                }
                #expect(status.isSuccess && String(decoding: back, as: UTF8.self) == text)
            }
        }
    }

    /// A 1.2 client that asks for another handshake is told no, and goes on or not, but harms nobody.
    @Test(.enabled(if: has("openssl"))) func renegotiation() throws {
        try onLoop { _ in
            try await withServer(serverContext(), onError: { _ in }) { port in
                let result = try await ChildProcess.run(
                    "openssl", ["s_client", "-connect", "127.0.0.1:\(port)", "-tls1_2"], input: Array("R\n".utf8))
                #expect((result.text + result.errorText).contains("no renegotiation"))
            }
        }
    }

    @Test(.enabled(if: has("openssl"))) func sessionsOfSClient() throws {
        try onLoop { _ in
            let file = FileManager.default.temporaryDirectory.appending(path: "session-\(UUID()).pem").path
            defer { try? FileManager.default.removeItem(atPath: file) }
            for version in ["-tls1_2", "-tls1_3"] {
                let resumed = Shared<[Bool]>([])
                try await withServer(
                    serverContext(),
                    handler: { connection in
                        resumed.change { $0.append(connection.isResumed) }
                        #expect(connection.version == (version == "-tls1_2" ? .v1_2 : .v1_3))
                        try await connection.write("hello\n")
                    }
                ) { port in
                    for option in ["-sess_out", "-sess_in"] {
                        _ = try await ChildProcess.run(
                            "openssl",
                            ["s_client", "-connect", "127.0.0.1:\(port)", version, "-ign_eof", option, file],
                            timeout: .seconds(60))
                    }
                }
                #expect(resumed.value == [false, true])
            }
        }
    }

    @Test(.enabled(if: has("openssl")), arguments: ["-tls1_2", "-tls1_3"]) func sServer(_ version: String) throws {
        try onLoop { loop in
            let status = try await ChildProcess.withProcess(
                "openssl",
                [
                    "s_server", "-accept", "127.0.0.1:0", version, "-cert", "\(certificates)/server.pem", "-key",
                    "\(certificates)/server.key.pem", "-rev", "-alpn", "rev", "-naccept", "2",
                ]
            ) { input, output, error in
                let context = try clientContext(protocols: ["rev"])
                // It says where it listens: "ACCEPT 127.0.0.1:12345".
                var words: [Substring] = []
                while words.first != "ACCEPT" {
                    words = try #require(try await output.readLine()).split(whereSeparator: { " :".contains($0) })
                }
                let port = try #require(words.last.flatMap { UInt16($0) })
                for round in 0..<2 {
                    let open = try await TLSConnection.connect(host: "localhost", port: port, context: context)
                    #expect(open.version == (version == "-tls1_2" ? .v1_2 : .v1_3) && open.isResumed == (round == 1))
                    #expect(open.applicationProtocol == "rev")
                    try await open.write("hello\n")
                    #expect(try await open.readLine() == "olleh")
                    await open.close()
                }
            }
            #expect(status.0.isSuccess)
        }
    }

    @Test(.enabled(if: has("curl"))) func curl() throws {
        try onLoop { _ in
            let page = String(repeating: "a line of the page\n", count: 50_000)
            let context = try serverContext(protocols: ["http/1.1"])
            try await withServer(
                context,
                handler: { connection in
                    while let line = try await connection.readLine(), !line.isEmpty {}
                    try await connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                    try await connection.write(page)
                }
            ) { port in
                let result = try await ChildProcess.run(
                    "curl", ["-sS", "--cacert", "\(certificates)/authority.pem", "https://localhost:\(port)/"])
                #expect(result.status.isSuccess && result.text == page, "\(result.errorText)")
            }
            try await withServer(context, onError: { _ in }) { port in
                let result = try await ChildProcess.run("curl", ["-sS", "https://localhost:\(port)/"])
                #expect(!result.status.isSuccess && result.errorText.contains("certificate"))
            }
        }
    }

    @Test func python() throws {
        try onLoop { loop in
            let client = """
                import ssl, socket, sys
                context = ssl.create_default_context(cafile=sys.argv[2])
                with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as raw:
                    with context.wrap_socket(raw, server_hostname="localhost") as tls:
                        data = bytes(range(256)) * 4000
                        back = b""
                        for i in range(0, len(data), 64000):
                            tls.sendall(data[i:i + 64000])
                            want = len(data[i:i + 64000])
                            while want:
                                piece = tls.recv(want)
                                back += piece
                                want -= len(piece)
                        assert back == data
                        print(tls.version())
                        tls.unwrap()
                """
            try await withServer(serverContext()) { port in
                let result = try await ChildProcess.run(
                    "python3", ["-c", client, "\(port)", "\(certificates)/authority.pem"])
                #expect(result.status.isSuccess && result.text == "TLSv1.3\n", "\(result.text) \(result.errorText)")
            }
            let server = """
                import ssl, socket, sys
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(sys.argv[1] + "/server.pem", sys.argv[1] + "/server.key.pem")
                with socket.create_server(("127.0.0.1", 0)) as listener:
                    print(listener.getsockname()[1], flush=True)
                    tls = context.wrap_socket(listener.accept()[0], server_side=True)
                    while piece := tls.recv(65536): tls.sendall(piece)
                    tls.unwrap()
                """
            let (status, _) = try await ChildProcess.withProcess("python3", ["-c", server, certificates]) {
                _, output, _ in
                let port = try #require(UInt16(try await output.readLine() ?? ""))
                let connection = try await TLSConnection.connect(
                    host: "localhost", port: port, context: clientContext())
                try await connection.write("hello")
                #expect(try await connection.read(exactly: 5) == Array("hello".utf8))
                try await connection.finishWriting()
                #expect(try await connection.read() == nil)
                await connection.close()
            }
            #expect(status.isSuccess)
        }
    }

    @Test(.enabled(if: has("node"))) func node() throws {
        try onLoop { _ in
            let client = """
                const [port, ca] = process.argv.slice(1);
                const tls = require("tls"), fs = require("fs");
                const socket = tls.connect({port, host: "127.0.0.1", servername: "localhost", ca: fs.readFileSync(ca)}, () => {
                    socket.end("x".repeat(500000));
                });
                let count = 0;
                socket.on("data", data => count += data.length);
                socket.on("end", () => console.log(count, socket.getProtocol()));
                """
            try await withServer(serverContext()) { port in
                let result = try await ChildProcess.run(
                    "node", ["-e", client, "\(port)", "\(certificates)/authority.pem"])
                #expect(result.text == "500000 TLSv1.3\n", "\(result.errorText)")
            }
            let server = """
                const tls = require("tls"), fs = require("fs"), folder = process.argv[1];
                const server = tls.createServer(
                    {cert: fs.readFileSync(folder + "/server.pem"), key: fs.readFileSync(folder + "/server.key.pem"), allowHalfOpen: true},
                    socket => { socket.pipe(socket); server.close(); });
                server.listen(0, "127.0.0.1", () => console.log(server.address().port));
                """
            let (status, _) = try await ChildProcess.withProcess("node", ["-e", server, certificates]) { _, output, _ in
                let port = try #require(UInt16(try await output.readLine() ?? ""))
                let connection = try await TLSConnection.connect(
                    host: "localhost", port: port, context: clientContext())
                try await connection.write([UInt8](repeating: 1, count: 100_000))
                try await connection.finishWriting()
                #expect(try await connection.readToEnd().count == 100_000)
                await connection.close()
            }
            #expect(status.isSuccess)
        }
    }
}
