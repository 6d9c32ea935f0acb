internal import HTTPTypes

/// The grammar of a request's head (RFC 9112), line by line.
///
/// It is as strict as the RFC allows: where two programs could read a head differently, one of them can be tricked.
struct RequestHead {
    private var request: HTTPRequest
    private let version: Request.Version
    /// HTTPTypes keeps them out of the fields.
    private var hosts: [String] = []

    /// Takes the request line.
    init(_ line: ArraySlice<UInt8>) throws(Refusal) {
        let words = line.split(separator: .space, maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 3 else { throw Refusal(.badRequest, "the request line is not three words") }
        guard let method = HTTPRequest.Method(String(decoding: words[0], as: UTF8.self)) else {
            throw Refusal(.badRequest, "the method is not a word")
        }
        version = try Self.version(words[2])
        guard words[1].allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw Refusal(.badRequest, "the target has characters that have to be encoded")
        }
        let target = String(decoding: words[1], as: UTF8.self)
        request = HTTPRequest(method: method, scheme: nil, authority: nil, path: nil)
        try takeTarget(target)
    }

    private static func version(_ word: ArraySlice<UInt8>) throws(Refusal) -> Request.Version {
        let word = Array(word)
        guard word.count == 8, word.starts(with: "HTTP/".utf8), word[5].isDigit, word[6] == UInt8(ascii: "."),
            word[7].isDigit
        else { throw Refusal(.badRequest, "the request line does not end in a version") }
        guard word[5] == UInt8(ascii: "1") else {
            throw Refusal(.httpVersionNotSupported, "only HTTP/1.1 and HTTP/1.0 are spoken here")
        }
        return word[7] == UInt8(ascii: "0") ? .http10 : .http11
    }

    private mutating func takeTarget(_ target: String) throws(Refusal) {
        if target.hasPrefix("/") || request.method == .options && target == "*" {
            request.path = target
        } else if request.method == .connect {
            request.authority = target
        } else if let scheme = ["http", "https"].first(where: { target.lowercased().hasPrefix("\($0)://") }) {
            // Clients send this to proxies; servers have to take it as well.
            let rest = target.dropFirst(scheme.count + 3)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            guard !authority.isEmpty, isHost(String(authority)) else {
                throw Refusal(.badRequest, "the target has no host")
            }
            let path = rest.dropFirst(authority.count)
            request.scheme = scheme
            request.authority = String(authority)
            request.path = path.hasPrefix("/") ? String(path) : "/\(path)"
        } else {
            throw Refusal(.badRequest, "the target is not a path")
        }
    }

    /// How many fields there are.
    var fieldCount: Int { request.headerFields.count + hosts.count }

    /// Takes the line of a field.
    mutating func add(_ line: ArraySlice<UInt8>) throws(Refusal) {
        guard let first = line.first, first != .space, first != .tab else {
            throw Refusal(.badRequest, "a header field is folded")
        }
        // The name ends at the colon: a space before it would be for one program a part of the name, for others not.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
            let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
        else { throw Refusal(.badRequest, "a header field has no proper name") }
        let value = trimmed(line[(colon + 1)...])
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == .tab }) else {
            throw Refusal(.badRequest, "a header field has control characters")
        }
        if name.canonicalName == "host" {
            hosts.append(String(decoding: value, as: UTF8.self))
        } else {
            request.headerFields.append(HTTPField(name: name, value: value))
        }
    }

    private func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, first == .space || first == .tab { bytes.removeFirst() }
        while let last = bytes.last, last == .space || last == .tab { bytes.removeLast() }
        return bytes
    }

    /// The request, when all fields are there.
    func finished(_ limits: RequestLimits) throws(Refusal) -> Request {
        let body = try body(limits)
        var request = request
        guard hosts.count == 1 || hosts.isEmpty && version == .http10, hosts.allSatisfy(isHost) else {
            throw Refusal(.badRequest, "there has to be one Host field")
        }
        if request.authority == nil { request.authority = hosts.first }
        let expectations = request.headerFields[values: .expect]
        guard expectations.allSatisfy({ $0.lowercased() == "100-continue" }) else {
            throw Refusal(.expectationFailed, "only 100-continue can be expected")
        }
        // Who expects to be told to send the body, and is not, may send it or not: nobody knows what comes next.
        let isBodyUncertain = body == .chunked || !expectations.isEmpty && body != .none
        return Request(
            head: request, version: version, body: body, keepsConnection: asksToStay && !isBodyUncertain)
    }

    private var asksToStay: Bool {
        let options = request.headerFields[values: .connection].flatMap { $0.lowercased().split(separator: ",") }
            .map { $0.trimmingPrefix { $0.isWhitespace }.prefix { !$0.isWhitespace } }
        return !options.contains("close") && (version == .http11 || options.contains("keep-alive"))
    }

    private func body(_ limits: RequestLimits) throws(Refusal) -> Request.Body {
        let lengths = request.headerFields[values: .contentLength]
        let codings = request.headerFields[values: .transferEncoding]
        if !codings.isEmpty {
            // A length beside it is the classic way to hide a request inside of another.
            guard lengths.isEmpty, version == .http11 else {
                throw Refusal(.badRequest, "the length of the body is said in two ways")
            }
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                throw Refusal(.notImplemented, "the only transfer coding is chunked")
            }
            return .chunked
        }
        guard let length = lengths.first else { return .none }
        guard lengths.count == 1, !length.isEmpty, length.utf8.allSatisfy(\.isDigit) else {
            throw Refusal(.badRequest, "the length of the body is not one number")
        }
        guard let count = Int(length), count <= limits.body else {
            throw Refusal(.contentTooLarge, "the body is longer than \(limits.body) bytes")
        }
        return count == 0 ? .none : .length(count)
    }

    /// A name or an address and perhaps a port; an empty one is allowed.
    private func isHost(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-._~!$&'()*+,;=:[]%".utf8.contains($0) }
    }
}

extension UInt8 {
    static let space = UInt8(ascii: " "), tab = UInt8(ascii: "\t"), lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")

    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// Of ASCII.
    var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}
