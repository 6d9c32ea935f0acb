import AsyncUV
import AsyncUVHTTP
import HTTPTypes
import TestSupport
import Testing

@Suite(.ownThread) struct HTTPRedirectTests {
    /// A server that redirects `/301/x` to `/x`, and says what it has got.
    private static let handler: HTTPServer.Handler = { request, response in
        let body = try await request.body.collectText()
        let path = request.head.path ?? ""
        let parts = path.split(separator: "/")
        if let code = parts.first.flatMap({ Int($0) }) {
            let target = path == "/\(code)/loop" ? path : "/" + parts.dropFirst().joined(separator: "/")
            return try await response.send(.init(code: code), [.location: target], Array("elsewhere".utf8))
        }
        let type = request.head.headerFields[.contentType] ?? "-"
        try await response.send(text: "\(request.head.method) \(path) \(body) \(type)")
    }

    @Test func methodsAndBodies() throws {
        let server = HTTPServer()
        try withSite(server, Self.handler) { loop, url async throws in
            let client = HTTPClient(on: loop)
            func send(_ method: HTTPRequest.Method, _ path: String) async throws -> String {
                let url = try #require(HTTPURL(url + path))
                return try await client.send(
                    method, to: url, fields: [.contentType: "text/x"], body: method == .get ? .none : .text("body")
                ).text()
            }
            for code in [301, 302, 303, 307, 308] {
                #expect(try await send(.get, "/\(code)/x") == "GET /x  text/x" || code == 303)
                let isKept = code >= 307
                #expect(try await send(.post, "/\(code)/x") == (isKept ? "POST /x body text/x" : "GET /x  -"))
                #expect(try await send(.put, "/\(code)/x") == (code == 303 ? "GET /x  -" : "PUT /x body text/x"))
            }
            let head = try await client.send(.head, to: try #require(HTTPURL(url + "/303/x")))
            #expect(head.url.path == "/x" && head.status == .ok)
            #expect(try await send(.get, "/301/302/307/308/x") == "GET /x  text/x")
            // All on one connection: the bodies of redirects are read.
            #expect(server.statistics.connections == 1)
            await client.close()
        }
    }

    @Test func circlesAndLimits() throws {
        try withSite(HTTPServer(), Self.handler) { loop, url async throws in
            var configuration = HTTPClient.Configuration()
            configuration.redirects = 3
            let client = HTTPClient(configuration, on: loop)
            #expect(try await client.get(url + "/301/301/301/x").status == .ok)
            for path in ["/301/301/301/301/x", "/302/loop"] {
                let error = await #expect(throws: HTTPClientError.self) { try await client.get(url + path) }
                #expect(error?.kind == .tooManyRedirects)
            }
            await client.close()
            configuration.redirects = 0
            let plain = HTTPClient(configuration, on: loop)
            let response = try await plain.get(url + "/301/x")
            #expect(response.status == .movedPermanently)
            #expect(try await response.text() == "elsewhere")
            await plain.close()
        }
    }

    @Test func bodiesThatWereSentAlready() throws {
        try withSite(HTTPServer(), Self.handler) { loop, url async throws in
            let client = HTTPClient(on: loop)
            let body = HTTPClientBody.pieces { try await $0.write("once") }
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.post(url + "/307/x", body: body)
            }
            #expect(error?.kind == .bodyNotRepeatable)
            #expect(try await client.post(url + "/303/x", body: body).text() == "GET /x  -")
            await client.close()
        }
    }

    @Test func credentialsStayWithTheirServer() throws {
        let got = Shared<[String]>([])
        try withPeer { connection, _ in
            while let head = try await connection.readHead() {
                got.change {
                    $0.append(head.filter { $0.hasPrefix("Auth") || $0.hasPrefix("Cookie") }.joined(separator: ","))
                }
                let host = head.first { $0.hasPrefix("Host: ") }?.dropFirst(6) ?? ""
                let port = host.split(separator: ":").last ?? ""
                let target =
                    switch head[0].split(separator: " ")[1] {
                    case "/start": "/same"
                    case "/same": "http://localhost:\(port)/other"
                    default: ""
                    }
                let status = target.isEmpty ? "200 OK" : "302 Found\r\nLocation: \(target)"
                try await connection.write("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
            }
        } _: { loop, url async throws in
            let transport = HTTPTransport(connect: { _, port, loop in
                try await TCPConnection.connect(host: "127.0.0.1", port: port, on: loop)
            })
            let client = HTTPClient(transport: transport, on: loop)
            let response = try await client.get(
                url + "/start", fields: [.authorization: "secret", .cookie: "a=b"])
            #expect(response.url.host == "localhost")
            #expect(got.value == ["Authorization: secret,Cookie: a=b", "Authorization: secret,Cookie: a=b", ""])
            await client.close()
        }
    }

    @Test(arguments: ["ftp://example.org/", "http://user:secret@h/", ""])
    func placesThatAreNone(_ location: String) throws {
        try withSite { _, response in
            try await response.send(.found, [.location: location])
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            if location.isEmpty {
                // An empty reference means the same place.
                let error = await #expect(throws: HTTPClientError.self) { try await client.get(url) }
                #expect(error?.kind == .tooManyRedirects)
            } else {
                #expect(try await client.get(url).status == .found)
            }
            await client.close()
        }
    }
}
