import HTTPTypes
import Testing

@testable import AsyncUVHTTP

@Suite struct ResponseParserTests {
    private func parse(_ text: String, for method: HTTPRequest.Method = .get) throws -> ParsedResponse? {
        var parser = ResponseParser()
        parser.input.append(Array(text.utf8))
        return try parser.next(for: method)
    }

    @Test func takesAnAnswer() throws {
        let answer = try #require(try parse("HTTP/1.1 404 Not Found here\r\nContent-Length: 12\r\nx-own: a\r\n\r\n"))
        #expect(answer.head.status.code == 404 && answer.head.status.reasonPhrase == "Not Found here")
        #expect(answer.body == .length(12) && answer.keepsConnection && answer.version == .http11)
        #expect(answer.head.headerFields[.init("X-Own")!] == "a")
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n\r\n", "GET", BodyLength.toEnd, false),
        ("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "GET", .none, true),
        ("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", "GET", .chunked, true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", .none, true),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "GET", .none, true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", .none, true),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "GET", .none, true),
        ("HTTP/1.1 200 OK\r\n\r\n", "CONNECT", .none, true),
        ("HTTP/1.1 407 No\r\nContent-Length: 1\r\n\r\n", "CONNECT", .length(1), true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "GET", .length(5), false),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", "GET", .length(5), true),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", "GET", .length(5), false),
    ])
    func knowsTheBody(text: String, method: String, body: BodyLength, stays: Bool) throws {
        let answer = try #require(try parse(text, for: HTTPRequest.Method(method)!))
        #expect(answer.body == body && answer.keepsConnection == stays)
    }

    @Test(arguments: [
        "HTTP/2.0 200 OK\r\n", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 099 OK\r\n", "HTTP/1.1 200 OK\n",
        "ICY 200 OK\r\n",
        "HTTP/1.1  200 OK\r\n", "HTTP/1.1 200 O\0K\r\n", "\r\n", "\n", "<html>\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n",
    ])
    func refuses(text: String) {
        #expect(throws: HTTPRefusal.self) { try parse(text) }
    }
}
