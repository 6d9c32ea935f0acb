/// Bytes that once were requests.
enum Mutant {
    private static let sound = [
        "GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n",
        "HEAD /a%20b/%C3%A4.txt?x=y HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /f HTTP/1.1\r\nHost: [::1]\r\nRange: bytes=0-4\r\nIf-Range: \"1-2\"\r\n\r\n",
        "GET /f HTTP/1.1\r\nHost: a\r\nIf-None-Match: W/\"1-2\", *\r\n\r\n",
        "GET /f HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
        "POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
        "POST /f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "POST /f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nA;x=y\r\n0123456789\r\n0\r\nA: b\r\n\r\n",
        "GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ]
    private static let words = [
        "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", ":", "\0", "\u{80}", "/", "..", "%2e%2e%2f", "%00", "%", "#", "?",
        "*",
        "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "GET ", "Host: b\r\n", "Content-Length: 3\r\n", "Content-Length: 0\r\n",
        "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: x\r\n",
        "Expect: 100-continue\r\n", "Range: bytes=9223372036854775807-9223372036854775807\r\n", "Range: bytes=-\r\n",
        "Range: bytes=-99999999999999999999\r\n", "If-Modified-Since: Mon, 99 Foo 99999\r\n", "\r\n folded", ",", "-1",
        "+",
        "0\r\n", "5\r\n", "FFFFFFFFFFFFFFFF\r\n", "0x5\r\n", ";a\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length: 5\r\n", "Upgrade: x\r\n", "Connection: upgrade\r\n", "Connection: close\r\n", ": a\r\n", " : ",
        "\"",
    ]

    static func bytes(_ random: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = (0..<Int.random(in: 1...3, using: &random))
            .flatMap { _ in Array(sound.randomElement(using: &random)!.utf8) }
        for _ in 0..<Int.random(in: 0...4, using: &random) { mutate(&bytes, &random) }
        return bytes
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout some RandomNumberGenerator) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 0...12, using: &random))
        switch Int.random(in: 0..<8, using: &random) {
        case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
        case 4: bytes.removeSubrange(place...)
        case 5:
            // Too long for some limit, or just not.
            let count = [90, 100, 7_980, 8_000, 16_300, 16_384].randomElement(using: &random)!
            let filler = count > 100 ? "x" : "X: y\r\n"
            bytes.insert(contentsOf: Array(String(repeating: filler, count: count).utf8), at: place)
        default:
            // Often between two lines, where whole fields make sense.
            let lines = bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
            let line = Bool.random(using: &random) ? lines.randomElement(using: &random) ?? place : place
            bytes.insert(contentsOf: Array(words.randomElement(using: &random)!.utf8), at: line)
        }
    }

    static func cut(_ bytes: [UInt8], _ random: inout some RandomNumberGenerator) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...40, using: &random))
            pieces.append(Array(piece))
            rest.removeFirst(piece.count)
        }
        return pieces
    }
}
