import HTTPTypes
import Testing

@testable import AsyncUVHTTP

/// Messages cut at every place.
@Suite struct SplitTests {
    private static let requests = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a?b HTTP/1.1\r\nHost: a.example:80\r\nAccept: */*\r\nX-Own:\t a b \t\r\nEmpty:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\nGET /z HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n0\r\nT: u\r\n\r\n"
            + "GET /z HTTP/1.0\r\n\r\n",
        // What is refused is so at each cut, and for the same reason.
        "GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA : b\r\n\r\n",
    ]

    @Test(arguments: requests)
    func cutsMakeNoDifference(text: String) {
        let bytes = Array(text.utf8)
        let whole = Requests([bytes[...]])
        #expect(!whole.heads.isEmpty || whole.refusal != nil)
        for cut in 0...bytes.count {
            #expect(Requests([bytes[..<cut], bytes[cut...]]) == whole, "cut at \(cut)")
        }
        for (first, second) in [(1, 2), (20, 21), (40, 60)] where second < bytes.count {
            #expect(Requests([bytes[..<first], bytes[first..<second], bytes[second...]]) == whole)
        }
        #expect(Requests(bytes.indices.map { bytes[$0...$0] }) == whole)
    }

    @Test func anAnswerCutAtEveryPlace() throws {
        let text =
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var parser = ResponseParser()
            var codes: [Int] = []
            for piece in [bytes[..<cut], bytes[cut...]] {
                parser.input.append(Array(piece))
                while let answer = try parser.next(for: .get) { codes.append(answer.head.status.code) }
            }
            #expect(codes == [103, 200] && parser.isBetweenResponses, "cut at \(cut)")
        }
    }
}
