import AsyncUV
import AsyncUVHTTP
import Foundation
import HTTPTypes
import TestSupport
import Testing

/// Servers of others.
@Suite(.ownThread) struct HTTPClientPeerTests {
    private static let nginx = ["/usr/sbin/nginx", "/usr/bin/nginx"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private static func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "http-client-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: folder + "/folder", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try Data(bytes).write(to: URL(filePath: folder + "/large"))
        try Data("index".utf8).write(to: URL(filePath: folder + "/folder/index.html"))
        try body(folder)
    }

    private static func check(_ client: HTTPClient, _ url: String) async throws {
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for _ in 0..<3 { #expect(try await client.get(url + "/large").bytes() == bytes) }
        // Both redirect a folder to its name with a slash.
        let folder = try await client.get(url + "/folder")
        #expect(folder.url.path == "/folder/")
        #expect(try await folder.text() == "index")
        #expect(try await client.get(url + "/missing").status == .notFound)
        let head = try await client.send(.head, to: #require(HTTPURL(url + "/large")))
        #expect(head.fields[.contentLength] == "1000000")
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "needs python3"))
    func pythons() throws {
        try Self.withFolder { folder in
            try onLoop { loop in
                for version in ["HTTP/1.0", "HTTP/1.1"] {
                    let script = """
                        import functools, http.server, sys
                        class Handler(http.server.SimpleHTTPRequestHandler):
                            protocol_version = "\(version)"
                            def log_message(self, *arguments): pass
                        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=sys.argv[1]))
                        print(server.server_address[1], flush=True)
                        server.serve_forever()
                        """
                    try await withProgram("/usr/bin/python3", ["-c", script, folder], on: loop) {
                        let port = try await $0.output?.readLine(limit: 100) ?? ""
                        let client = HTTPClient(on: loop)
                        try await Self.check(client, "http://127.0.0.1:\(port)")
                        await client.close()
                    }
                }
            }
        }
    }

    @Test(.enabled(if: nginx != nil, "needs nginx"))
    func nginxs() throws {
        let program = try #require(Self.nginx)
        try Self.withFolder { folder in
            try onLoop { loop in
                let path = folder + "/socket"
                let configuration = """
                    daemon off; master_process off; pid \(folder)/pid; error_log stderr;
                    events {}
                    http {
                        access_log off; client_body_temp_path \(folder); proxy_temp_path \(folder);
                        fastcgi_temp_path \(folder); uwsgi_temp_path \(folder); scgi_temp_path \(folder);
                        absolute_redirect off; keepalive_requests 3;
                        server { listen unix:\(path); root \(folder); }
                    }
                    """
                try Data(configuration.utf8).write(to: URL(filePath: folder + "/conf"))
                try await withProgram(program, ["-c", folder + "/conf", "-e", "stderr"], on: loop) { _ in
                    // It says nowhere that it listens. A local socket needs no free port.
                    let transport = HTTPTransport(connect: { _, _, loop in
                        while true {
                            do {
                                return try await LocalConnection.connect(to: try LocalAddress(path: path), on: loop)
                            } catch {
                                try await loop.sleep(for: .milliseconds(10))
                            }
                        }
                    })
                    let client = HTTPClient(transport: transport, on: loop)
                    for _ in 0..<4 { try await Self.check(client, "http://nginx.example") }
                    await client.close()
                }
            }
        }
    }
}
