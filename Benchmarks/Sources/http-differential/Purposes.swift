/// The differences that are on purpose, and why. Any other ends the program with 1, above all what NIO refuses and we take.
enum Purposes {
    /// - Parameter bytes: The whole input.
    static func reason(for difference: Comparison.Difference, in bytes: [UInt8]) -> String? {
        switch difference {
        case .bothRefuse, .otherwise: nil
        case .weRefuse(let reason): stricter[reason]
        case .theyRefuse(let error):
            laxer.first { $0.error == error && $0.applies(String(decoding: bytes, as: UTF8.self)) }?.reason
        }
    }

    /// Where we are stricter than NIO: what we say, and why we refuse it.
    private static let stricter = [
        "a line does not end in CR LF": "a bare LF ends a line for some programs, and not for others",
        "the request line is not three words":
            "more than one space between them is for some programs a part of the target",
        "there has to be one Host field":
            "RFC 9112, 3.2; NIO leaves it to the application, also whether the value can be a host",
        "the method is not a word": "also a CR alone before a request, which NIO skips",
        "nobody has room for the body": "a length that an Int has no room for, while an unsigned one has",
        "CONNECT has no body": "RFC 9110, 9.3.6; for NIO another protocol begins behind the head",
        "the only transfer coding is chunked": "nobody here could decode another one; NIO hands it on",
        "the length of the body is said in two ways":
            "HTTP/1.0 knows no transfer codings: a proxy of 1.0 would not see the body",
        "only HTTP/1.1 and HTTP/1.0 are spoken here": "NIO waits for the end of the head before it says so",
        "only 100-continue can be expected": "RFC 9110, 10.1.1; NIO leaves it to the application",
        "the target has characters that have to be encoded":
            "what is no character of a URI, and fragments, which clients keep to themselves",
        "the target is not a path": "RFC 9112, 3.2: a path, a whole URL, or * for OPTIONS; NIO hands on what it gets",
        "the target has no host": "a URL whose host is empty, or which has a name and a password",
        "the target is not a host": "RFC 9112, 3.2.3: CONNECT is for a host and a port",
        "the size of a chunk is not a number": "more than fifteen digits, or a line of more than 256 bytes",
        "a field behind a body is about the message itself": "RFC 9110, 6.5.1; NIO takes a Host there",
    ]

    /// Where we take what NIO refuses: nobody can take it for another request.
    private static let laxer: [(error: String, applies: @Sendable (String) -> Bool, reason: String)] = [
        ("invalid HTTP method", { _ in true }, "any word is a method (RFC 9110, 9.1); NIO knows a list"),
        (
            "invalid HTTP version", { $0.contains(/HTTP\/1\.[2-9]/) },
            "a later 1.x is spoken like 1.1 (RFC 9110, 2.5); NIO knows 1.0 and 1.1"
        ),
        (
            "invalid character in content-length header", { $0.contains(/content-length:[^\r\n]*\t/.ignoresCase()) },
            "a tab beside a value is a space (RFC 9110, 5.6.3); NIO knows spaces there"
        ),
        (
            "invalid character in chunk size header", { $0.contains(/[0-9A-Fa-f][ \t]+;/) },
            "spaces before an extension, which the RFC has everybody understand"
        ),
        (
            "strict mode assertion", { $0.contains(/;[ \t]|[ \t][;=]|=[ \t]/) },
            "spaces around the parts of an extension, which the RFC has everybody understand"
        ),
    ]
}
