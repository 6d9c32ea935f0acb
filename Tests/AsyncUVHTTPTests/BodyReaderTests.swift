import HTTPTypes
import Testing

@testable import AsyncUVHTTP

@Suite struct BodyReaderTests {
    private static let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test func takesChunks() {
        let body = "5\r\nhello\r\n00000a;x=\"y\"\r\n0123456789\r\n1 ;x\r\n!\r\n0\r\nA: b\r\nC:  d \r\n\r\n"
        let requests = Requests(Self.head + body + Self.head + "000\r\n\r\n")
        #expect(requests.texts == ["hello0123456789!", ""] && requests.refusal == nil && requests.isBetweenRequests)
        #expect(requests.trailers == [[.init("A")!: "b", .init("C")!: "d"], [:]])
    }

    @Test(arguments: [
        "5;a", "5;a=b", "5;a;b;c=d", "5 ; a = b\t; c", "5;a=\"\"", "5;a=\"b c;=\\\"\t\\\\ä\";d", "5;a=\"b\" ;c",
    ])
    func takesExtensions(size: String) {
        #expect(Requests(Self.head + size + "\r\nhello\r\n0\r\n\r\n").texts == ["hello"])
    }

    @Test(arguments: [
        "\r\n", "x\r\n", "0x5\r\nhello\r\n", "+5\r\nhello\r\n", "-1\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n",
        "5\nhello\r\n",
        "5;a\nhello\r\n", "5;a\rb\r\nhello\r\n", "5\r\nhello!\r\n", "5\r\nhello\n", "5\r\nhello\rx", "5 a\r\nhello\r\n",
        "5;\0\r\nhello\r\n",
        "FFFFFFFFFFFFFFFF\r\n", "10000000000000000\r\n", "0000000000000005\r\nhello\r\n", "0\r\n folded\r\n",
        "0\r\nA : b\r\n", "0\r\nA: b\n",
        // Extensions that are none.
        "5;\r\n", "5;;a\r\n", "5;a;\r\n", "5;=b\r\n", "5;a=\r\n", "5;a=;b\r\n", "5;a b\r\n", "5;a=b c\r\n",
        "5;a=\"b\r\n",
        "5;a=\"b\\\"\r\n", "5;a=\"b\"c\r\n", "5;a=\"\u{1}\"\r\n", "5;(\r\n", "5;a=(\r\n", "5,a\r\n", "5 ; \r\n",
        "5;a \r\n", "5;a=b\t\r\n", "5;a=\"b\" \r\n",
        // Fields that would move the end of the body, or of the connection.
        "0\r\nContent-Length: 5\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0\r\nTransfer-Encoding: x\r\n\r\n",
        "0\r\nHost: a\r\n\r\n", "0\r\nConnection: close\r\n\r\n",
    ])
    func refusesChunks(body: String) {
        #expect(refusal(of: Self.head + body)?.status == .badRequest)
    }

    @Test func limitsTheLineOfAChunkAndWhatFollowsTheLast() {
        #expect(refusal(of: Self.head + "5;" + String(repeating: "x", count: 250))?.status == nil)
        #expect(refusal(of: Self.head + "5;" + String(repeating: "x", count: 256))?.status == .badRequest)
        #expect(refusal(of: Self.head + "5;" + String(repeating: "x", count: 300) + "\r\n")?.status == .badRequest)
        let trailers = String(repeating: "A: b\r\n", count: 101)
        #expect(refusal(of: Self.head + "0\r\n" + trailers)?.status == .requestHeaderFieldsTooLarge)
        let long = "A: " + String(repeating: "x", count: 17_000)
        #expect(refusal(of: Self.head + "0\r\n" + long)?.status == .requestHeaderFieldsTooLarge)
    }

    @Test func pieceAreNoLongerThanAskedFor() throws {
        var input = ByteInput()
        input.append(Array("0123456789rest".utf8))
        var body = BodyReader(.length(10), limits: HTTPLimits())
        #expect(body.remaining == 10)
        #expect(try body.next(&input, upTo: 4) == .bytes(Array("0123".utf8)) && body.remaining == 6)
        #expect(try body.next(&input, upTo: 40) == .bytes(Array("456789".utf8)) && body.hasEnded)
        #expect(try body.next(&input) == .end && input.count == 4)
    }

    @Test func aBodyUpToTheEnd() throws {
        var input = ByteInput()
        var body = BodyReader(.toEnd, limits: HTTPLimits())
        #expect(try body.next(&input) == .needsMore)
        input.append([1])
        #expect(try body.next(&input) == .bytes([1]) && !body.hasEnded)
        let ended = body.finish()
        #expect(ended)
        var cut = BodyReader(.length(3), limits: HTTPLimits())
        let isWhole = cut.finish()
        #expect(!isWhole)
    }
}
