@testable import AsyncUVHTTP
import HTTPTypes
import Testing

@Suite struct WebSocketHandshakeTests {
    @Test func digestOfAMillionLetters() {
        #expect(Self.hex(String(repeating: "a", count: 1_000_000)) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
    }

    private static func hex(_ text: String) -> String {
        SHA1.digest(of: Array(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        ),
        // One block is full, and the length does not fit behind.
        (String(repeating: "a", count: 55), "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
        (String(repeating: "a", count: 56), "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
        (String(repeating: "a", count: 64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
    ])
    func digestsOfKnownTexts(_ text: String, _ digest: String) {
        #expect(Self.hex(text) == digest)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64OfKnownTexts(_ bytes: String, _ text: String) {
        #expect(Base64.text(of: Array(bytes.utf8)) == text)
        #expect(Base64.byteCount(of: text) == bytes.utf8.count)
    }

    @Test(arguments: ["Zg=", "Zg", "Z===", "Z-==", "Zg==Zg==", "=Zg=", "Zm9 "])
    func textThatIsNotBase64(_ text: String) { #expect(Base64.byteCount(of: text) == nil) }

    @Test func theExampleOfTheStandard() {
        #expect(WebSocketHandshake.acceptance(of: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    private static func request(_ change: (inout HTTPRequest) -> Void = { _ in }) -> HTTPRequest {
        var request = WebSocketHandshake.request(authority: "example.org", path: "/chat", subprotocols: ["b", "a"])
        change(&request)
        return request
    }

    @Test func bothSidesAgree() throws {
        let request = Self.request()
        let response = WebSocketHandshake.response(to: request, subprotocols: ["a", "b", "c"])
        #expect(response.status == .switchingProtocols)
        #expect(try WebSocketHandshake.check(response, to: request) == "b")
        let plain = WebSocketHandshake.response(to: request)
        #expect(try WebSocketHandshake.check(plain, to: request) == nil)
        #expect(Self.request().headerFields[.secWebSocketKey] != request.headerFields[.secWebSocketKey])
    }

    @Test func whatBrowsersSendIsUnderstood() {
        let request = Self.request {
            $0.headerFields[.connection] = "keep-alive, UpGrade"
            $0.headerFields[.upgrade] = "h2c, WebSocket"
            $0.headerFields[.secWebSocketExtensions] = "permessage-deflate; client_max_window_bits"
        }
        let response = WebSocketHandshake.response(to: request)
        #expect(response.status == .switchingProtocols)
        #expect(response.headerFields[.secWebSocketExtensions] == nil)
    }

    @Test func wrongRequestsGetTheirStatus() {
        func status(_ change: (inout HTTPRequest) -> Void) -> HTTPResponse.Status {
            WebSocketHandshake.response(to: Self.request(change), origins: ["https://here.example"]).status
        }
        #expect(status { $0.method = .post } == .methodNotAllowed)
        #expect(status { $0.headerFields[.upgrade] = nil } == .upgradeRequired)
        #expect(status { $0.headerFields[.connection] = "keep-alive" } == .upgradeRequired)
        #expect(status { $0.headerFields[.secWebSocketVersion] = "8" } == .upgradeRequired)
        #expect(status { $0.headerFields[.secWebSocketKey] = nil } == .badRequest)
        #expect(status { $0.headerFields[.secWebSocketKey] = "Zm9v" } == .badRequest)
        #expect(status { $0.headerFields[.origin] = "https://elsewhere.example" } == .forbidden)
        #expect(status { $0.headerFields[.origin] = "https://here.example" } == .switchingProtocols)
        #expect(status { _ in } == .switchingProtocols)
        let old = WebSocketHandshake.response(to: Self.request { $0.headerFields[.secWebSocketVersion] = "8" })
        #expect(old.headerFields[.secWebSocketVersion] == "13")
    }

    @Test func wrongResponsesAreRefused() {
        let request = Self.request()
        func expectRefused(_ change: (inout HTTPResponse) -> Void) {
            var response = WebSocketHandshake.response(to: request)
            change(&response)
            let error = #expect(throws: WebSocketError.self) { try WebSocketHandshake.check(response, to: request) }
            #expect(error?.kind == .refused)
        }
        expectRefused { $0.status = .ok }
        expectRefused { $0.headerFields[.upgrade] = "h2c" }
        expectRefused { $0.headerFields[.connection] = nil }
        expectRefused { $0.headerFields[.secWebSocketAccept] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" }
        expectRefused { $0.headerFields[.secWebSocketAccept] = nil }
        expectRefused { $0.headerFields[.secWebSocketExtensions] = "permessage-deflate" }
        expectRefused { $0.headerFields[.secWebSocketProtocol] = "c" }
    }
}
