import AsyncUV
import AsyncUVHTTP
import HTTPTypes
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct HTTPProxyTests {
    /// A proxy for CONNECT, and for whole requests, which it answers itself.
    private static func proxy(_ seen: Shared<[String]>) -> @Sendable (TCPConnection, Int) async throws -> Void {
        { connection, _ in
            while let head = try await connection.readHead() {
                seen.change { $0.append(head[0]) }
                let parts = head[0].split(separator: " ")
                if !head.contains("Proxy-Authorization: Basic xyz") {
                    try await connection.write(
                        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                    continue
                }
                guard parts[0] == "CONNECT" else {
                    try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nvia")
                    continue
                }
                let port = UInt16(parts[1].split(separator: ":").last ?? "") ?? 0
                let server = try await TCPConnection.connect(host: "127.0.0.1", port: port, on: connection.loop)
                try await connection.write("HTTP/1.1 200 Connection Established\r\n\r\n")
                try await connection.relay(with: server)
                return await server.close()
            }
        }
    }

    private static func client(
        _ url: String, on loop: EventLoop, authorization: String? = "Basic xyz", secured: Shared<[String]>
    ) throws -> HTTPClient {
        let address = try #require(HTTPURL(url))
        var configuration = HTTPClient.Configuration()
        configuration.proxy = HTTPProxy(
            host: address.host, port: address.port, authorization: authorization,
            exceptions: ["direct.example", ".local"])
        // No security at all: it shows who would be asked for it.
        let transport = HTTPTransport(
            connect: { host, port, loop in
                try await TCPConnection.connect(host: "127.0.0.1", port: host == "direct.example" ? 1 : port, on: loop)
            },
            secure: { stream, host in
                secured.change { $0.append(host) }
                return stream
            })
        return HTTPClient(configuration, transport: transport, on: loop)
    }

    @Test func wholeRequests() throws {
        let seen = Shared<[String]>([])
        try withPeer(Self.proxy(seen)) { loop, url async throws in
            let secured = Shared<[String]>([])
            let client = try Self.client(url, on: loop, secured: secured)
            #expect(try await client.get("http://one.example/a?b").text() == "via")
            #expect(try await client.get("http://two.example:8080/").text() == "via")
            #expect(seen.value == ["GET http://one.example/a?b HTTP/1.1", "GET http://two.example:8080/ HTTP/1.1"])
            #expect(secured.value.isEmpty)
            // Both went over one connection.
            #expect(client.idleConnectionCount == 1)
            await expectError(.connectionRefused) { try await client.get("http://direct.example/") }
            await client.close()
        }
    }

    @Test func securedRequestsAreLedThrough() throws {
        try withSite { request, response in
            try await response.send(text: "\(request.head.path ?? "") \(request.head.authority ?? "")")
        } _: { loop, site in
            let port = try #require(HTTPURL(site)).port
            let seen = Shared<[String]>([])
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let proxy = Self.proxy(seen)
            let serving = loop.spawn {
                try await listener.serve(onError: { _, _ in }) { try await proxy($0, 0) }
            }
            let secured = Shared<[String]>([])
            let client = try Self.client("http://\(listener.localAddress)", on: loop, secured: secured)
            for _ in 0..<2 {
                #expect(try await client.get("https://site.example:\(port)/x").text() == "/x site.example:\(port)")
            }
            #expect(seen.value == ["CONNECT site.example:\(port) HTTP/1.1"])
            #expect(secured.value == ["site.example"])
            await client.close()
            let stranger = try Self.client(
                "http://\(listener.localAddress)", on: loop, authorization: nil, secured: secured)
            let error = await #expect(throws: HTTPClientError.self) {
                try await stranger.get("https://site.example:\(port)/")
            }
            #expect(error?.kind == .proxy && error?.reason.contains("407") == true)
            await stranger.close()
            await listener.close()
            serving.cancel()
            _ = await serving.result
        }
    }

    @Test func webSocketsAreLedThroughToo() throws {
        try withSite { request, response in
            try await response.webSocket(for: request) { for try await message in $0 { try await $0.send(message) } }
        } _: { loop, site async throws in
            let port = try #require(HTTPURL(site)).port
            let seen = Shared<[String]>([])
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let proxy = Self.proxy(seen)
            let serving = loop.spawn {
                try await listener.serve(onError: { _, _ in }) { try await proxy($0, 0) }
            }
            let secured = Shared<[String]>([])
            let client = try Self.client("http://\(listener.localAddress)", on: loop, secured: secured)
            for scheme in ["ws", "wss"] {
                let socket = try await client.webSocket("\(scheme)://site.example:\(port)/chat")
                try await socket.send("hello")
                #expect(try await socket.next() == .text("hello"))
                await socket.close()
            }
            #expect(seen.value == ["CONNECT site.example:\(port) HTTP/1.1", "CONNECT site.example:\(port) HTTP/1.1"])
            #expect(secured.value == ["site.example"])
            await listener.close()
            serving.cancel()
            _ = await serving.result
        }
    }
}
