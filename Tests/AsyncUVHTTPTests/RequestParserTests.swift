import HTTPTypes
import Testing

@testable import AsyncUVHTTP

@Suite struct RequestParserTests {
    // MARK: What is taken

    @Test func takesARequest() throws {
        let request = try #require(
            try parse("GET /a%20b?c=d HTTP/1.1\r\nHost: example.org:80\r\nAccept:\t*/* \r\nX-Empty:\r\n\r\n").first)
        #expect(request.head.method == .get && request.head.path == "/a%20b?c=d" && request.version == .http11)
        #expect(request.head.authority == "example.org:80")
        #expect(request.head.headerFields[.accept] == "*/*")
        #expect(request.head.headerFields[HTTPField.Name("x-empty")!] == "")
        #expect(request.body == .none && request.keepsConnection && !request.expectsContinue)
    }

    @Test(arguments: [
        ("GET / HTTP/1.0\r\n\r\n", false), ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x , CLOSE,\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true),
        ("GET / HTTP/1.7\r\nHost: a\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n", true),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", true),
    ])
    func knowsWhetherTheConnectionStays(text: String, stays: Bool) throws {
        #expect(try parse(text).map(\.keepsConnection) == [stays])
    }

    @Test(arguments: [
        ("http://example.org/a?b", "/a?b", "example.org"), ("HTTPS://example.org:8080", "/", "example.org:8080"),
        ("http://example.org?x", "/?x", "example.org"), ("//other/a", "//other/a", "host"), ("/", "/", "host"),
    ])
    func takesAllForms(target: String, path: String, authority: String) throws {
        let request = try #require(try parse("GET \(target) HTTP/1.1\r\nHost: host\r\n\r\n").first)
        #expect(request.head.path == path && request.head.authority == authority)
    }

    @Test func takesOtherMethodsAndTheirTargets() throws {
        let texts = ["OPTIONS * HTTP/1.1\r\nHost:", "CONNECT a:1 HTTP/1.1\r\nHost: a:1", "M-X! / HTTP/1.1\r\nHost: a"]
        #expect(
            try parse(texts.map { $0 + "\r\n\r\n" }.joined()).map(\.head.method.rawValue) == [
                "OPTIONS", "CONNECT", "M-X!",
            ])
    }

    @Test func takesValuesThatAreNotASCII() throws {
        let request = try #require(try parse("GET / HTTP/1.1\r\nHost: a\r\nX: ä\u{80}\r\n\r\n").first)
        #expect(request.head.headerFields[HTTPField.Name("X")!] == "ä\u{80}")
    }

    @Test func dropsBodiesAndOneEmptyLineBetweenRequests() throws {
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\nGET / HTTP/1.1\r\n"
        let requests = try parse(post + "\r\n" + post + "GET /z HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(requests.map(\.head.path) == ["/", "/", "/z"])
        #expect(requests.map(\.body) == [.length(16), .length(16), .none])
    }

    // MARK: What is refused

    @Test(arguments: [
        // The request line.
        ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1 \r\n\r\n", 400),
        (" GET / HTTP/1.1\r\n\r\n", 400), ("GET\t/\tHTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\n", 400),
        ("GET / HTTP/1.1\r\r\n", 400), ("GET /\r/ HTTP/1.1\r\n", 400), ("\r\n\r\n", 400), ("\n", 400),
        ("G(T / HTTP/1.1\r\n", 400), ("GET /ä HTTP/1.1\r\n", 400), ("GET /#a HTTP/1.1\r\n", 400),
        ("GET /\0 HTTP/1.1\r\n", 400), ("GET / http/1.1\r\n", 400), ("GET / HTTP/1.11\r\n", 400),
        ("GET / HTTP/1,1\r\n", 400), ("GET / HTTP/+.1\r\n", 400), ("GET / HTTP/2.0\r\n", 505),
        ("PRI * HTTP/2.0\r\n", 505), ("GET / HTTP/0.9\r\n", 505), ("GET a HTTP/1.1\r\n", 400),
        ("GET * HTTP/1.1\r\n", 400), ("GET http:///a HTTP/1.1\r\n", 400), ("GET http://a@b/ HTTP/1.1\r\n", 400),
        ("GET ftp://a/ HTTP/1.1\r\n", 400), ("CONNECT a/b HTTP/1.1\r\n", 400),
        ("CONNECT /a HTTP/1.1\r\n", 400), ("\0\r\n", 400),
        // Fields.
        ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\n\tfolded\r\n", 400),
        ("GET / HTTP/1.1\r\n Host: a\r\n", 400), ("GET / HTTP/1.1\r\nHost : a\r\n", 400),
        ("GET / HTTP/1.1\r\nHost\r\n", 400), ("GET / HTTP/1.1\r\n: a\r\n", 400), ("GET / HTTP/1.1\r\nX[: a\r\n", 400),
        ("GET / HTTP/1.1\r\nX: a\rb\r\n", 400), ("GET / HTTP/1.1\r\nX: a\0b\r\n", 400),
        ("GET / HTTP/1.1\r\nX: a\nY: b\r\n", 400), ("GET / HTTP/1.1\r\nX: \u{7F}\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
        // The host.
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
        // The length of the body.
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{B}chunked\r\n\r\n", 400),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 1\r\n\r\n", 400),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
    ])
    func refuses(text: String, status: Int) {
        #expect(refusal(of: text)?.status.code == status)
    }

    @Test func staysRefused() {
        var requests = Requests("no\r\n")
        #expect(requests.refusal?.status == .badRequest)
        requests.take(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(requests.heads.isEmpty && requests.refusal?.status == .badRequest)
    }

    // MARK: Limits

    @Test func limitsTheRequestLine() throws {
        let fitting = "GET /\(String(repeating: "x", count: 8_000 - 14)) HTTP/1.1\r\n"
        #expect(try parse(fitting + "Host: a\r\n\r\n").count == 1)
        #expect(refusal(of: fitting.replacing("/x", with: "/xx"))?.status == .uriTooLong)
        #expect(refusal(of: String(repeating: "x", count: 8_002))?.status == .uriTooLong)
        #expect(refusal(of: String(repeating: "x", count: 8_001)) == nil)
    }

    @Test func limitsTheFields() throws {
        let line = "GET / HTTP/1.1\r\nHost: a\r\n"
        func head(_ count: Int) -> String { line + String(repeating: "X: y\r\n", count: count) + "\r\n" }
        #expect(try parse(head(99)).count == 1)
        #expect(refusal(of: head(100))?.status == .requestHeaderFieldsTooLarge)
        func long(_ size: Int) -> String {
            line + "X: \(String(repeating: "y", count: size - line.utf8.count - 7))\r\n\r\n"
        }
        #expect(try parse(long(16_384)).count == 1)
        #expect(refusal(of: long(16_385))?.status == .requestHeaderFieldsTooLarge)
        let endless = line + "X: \(String(repeating: "y", count: 16_384))"
        #expect(refusal(of: endless)?.status == .requestHeaderFieldsTooLarge)
    }

    @Test func neverMakesMoreFieldsThanHTTPTypesCanHave() {
        var limits = HTTPLimits()
        (limits.head, limits.fieldCount) = (1 << 20, .max)
        let fields = String(repeating: "X:\r\n", count: 66_000)
        #expect(
            Requests("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", limits: limits).refusal?.status
                == .requestHeaderFieldsTooLarge)
    }

    @Test func saysWhetherARequestHasBegun() {
        var requests = Requests()
        var states = [requests.isBetweenRequests]
        for piece in ["P", "OST / HTTP/1.1\r\n", "Host: a\r\nContent-Length: 2\r\n\r\n", "x", "y", "\r", "\n"] {
            requests.take(Array(piece.utf8))
            states.append(requests.isBetweenRequests)
        }
        #expect(states == [true, false, false, false, false, true, false, true])
    }
}
