internal import HTTPTypes
internal import UV

/// The first line of a request.
struct RequestLine: Sendable {
    let method: HTTPRequest.Method
    let version: HTTPVersion
    private var scheme: String?
    private var authority: String?
    private var path: String?

    /// Reads the line.
    ///
    /// - Parameter position: Where it begins; then where the next one begins.
    /// - Returns: Nothing while its end has not come.
    static func read(
        _ input: borrowing ByteInput, from position: inout Int, limit: Int
    ) throws(HTTPRefusal) -> RequestLine? {
        let bytes = input.bytes.span
        let start = position
        // A line that was not complete is not read again for each byte that comes.
        if input.searched > start, input.endOfLine(from: start) == nil {
            if bytes.count - start - 1 > limit { throw tooLong }
            return nil
        }
        var index = start
        while index < bytes.count, bytes[index].isOfWord { index += 1 }
        let method = start..<index
        let targetStart = index + 1
        index = targetStart
        while index < bytes.count, bytes[index].isOfTarget { index += 1 }
        let target = min(targetStart, index)..<index
        // A space, the version, CR LF.
        guard !method.isEmpty, bytes.count - index >= 11, bytes[method.upperBound] == .space, !target.isEmpty,
            bytes[index] == .space, let version = version(bytes, index + 1), bytes[index + 9] == .carriageReturn,
            bytes[index + 10] == .lineFeed
        else {
            guard let end = input.endOfLine(from: start) else {
                // A line of that length, its CR, and perhaps the LF.
                if bytes.count - start - 1 > limit { throw tooLong }
                return nil
            }
            if end - start - 1 > limit { throw tooLong }
            throw problem(bytes, start..<end)
        }
        if index + 9 - start > limit { throw tooLong }
        position = index + 11
        return try RequestLine(bytes, method, target, version)
    }

    private static let tooLong = HTTPRefusal(.uriTooLong, "the head is too long")

    /// The version at a position; nothing for what is none that is spoken here.
    @inline(__always)
    private static func version(_ bytes: Span<UInt8>, _ start: Int) -> HTTPVersion? {
        guard bytes[start] == UInt8(ascii: "H"), bytes[start + 1] == UInt8(ascii: "T"),
            bytes[start + 2] == UInt8(ascii: "T"), bytes[start + 3] == UInt8(ascii: "P"),
            bytes[start + 4] == UInt8(ascii: "/"), bytes[start + 5] == UInt8(ascii: "1"),
            bytes[start + 6] == UInt8(ascii: "."), bytes[start + 7].isDigit
        else { return nil }
        return bytes[start + 7] == UInt8(ascii: "0") ? .http10 : .http11
    }

    /// What is wrong with a line.
    ///
    /// - Parameter line: Up to the LF.
    private static func problem(_ bytes: Span<UInt8>, _ line: Range<Int>) -> HTTPRefusal {
        guard let last = line.last, bytes[last] == .carriageReturn else {
            return HTTPRefusal(.badRequest, "a line does not end in CR LF")
        }
        let words = [UInt8](copying: bytes.extracting(line.lowerBound..<last)).split(
            separator: .space, maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 3 else { return HTTPRefusal(.badRequest, "the request line is not three words") }
        guard !words[0].isEmpty, words[0].allSatisfy(\.isOfWord) else {
            return HTTPRefusal(.badRequest, "the method is not a word")
        }
        let version = Array(words[2])
        guard version.count == 8, version.starts(with: "HTTP/".utf8), version[5].isDigit,
            version[6] == UInt8(ascii: "."), version[7].isDigit
        else { return HTTPRefusal(.badRequest, "the request line does not end in a version") }
        guard version[5] == UInt8(ascii: "1") else {
            return HTTPRefusal(.httpVersionNotSupported, "only HTTP/1.1 and HTTP/1.0 are spoken here")
        }
        if words[1].isEmpty { return HTTPRefusal(.badRequest, "the target is not a path") }
        return HTTPRefusal(.badRequest, "the target has characters that have to be encoded")
    }

    private init(
        _ bytes: Span<UInt8>, _ method: Range<Int>, _ target: Range<Int>, _ version: HTTPVersion
    ) throws(HTTPRefusal) {
        self.method = try Self.method(bytes, method)
        self.version = version
        if bytes[target.lowerBound] == UInt8(ascii: "/") {
            // A look at the length first: nearly all requests are no CONNECT.
            if method.count == 7, self.method == .connect { throw Self.noHost }
            path = String(copying: bytes.extracting(target))
        } else {
            try takeOtherTarget(String(copying: bytes.extracting(target)))
        }
    }

    @inline(__always)
    private static func method(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(HTTPRefusal) -> HTTPRequest.Method {
        if range.count == 3, bytes[range.lowerBound] == UInt8(ascii: "G"),
            bytes[range.lowerBound + 1] == UInt8(ascii: "E"), bytes[range.lowerBound + 2] == UInt8(ascii: "T")
        {
            return .get
        }
        guard let method = HTTPRequest.Method(String(copying: bytes.extracting(range))) else {
            throw HTTPRefusal(.badRequest, "the method is not a word")
        }
        return method
    }

    private static let noHost = HTTPRefusal(.badRequest, "the target is not a host")

    /// Takes a target that does not begin with a slash.
    private mutating func takeOtherTarget(_ target: String) throws(HTTPRefusal) {
        if method == .options, target == "*" {
            path = target
        } else if method == .connect {
            guard target.utf8.allSatisfy(\.isOfHost) else {
                throw Self.noHost
            }
            authority = target
        } else if let scheme = ["http", "https"].first(where: { target.lowercased().hasPrefix("\($0)://") }) {
            // Clients send this to proxies; servers have to take it as well.
            let rest = target.dropFirst(scheme.count + 3)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            guard !authority.isEmpty, authority.utf8.allSatisfy(\.isOfHost) else {
                throw HTTPRefusal(.badRequest, "the target has no host")
            }
            let path = rest.dropFirst(authority.count)
            self.scheme = scheme
            self.authority = String(authority)
            self.path = path.hasPrefix("/") ? String(path) : "/\(path)"
        } else {
            throw HTTPRefusal(.badRequest, "the target is not a path")
        }
    }

    /// The request, when all fields are there.
    func finished(_ reader: FieldReader) throws(HTTPRefusal) -> ParsedRequest {
        let framing = reader.framing
        let body = try framing.bodyLength(version) ?? .none
        // For some programs another protocol begins behind such a head.
        if body != .none, method == .connect { throw HTTPRefusal(.badRequest, "CONNECT has no body") }
        guard framing.hostCount == 1 || framing.hostCount == 0 && version == .http10 else {
            throw HTTPRefusal(.badRequest, "there has to be one Host field")
        }
        if framing.options.contains(.expectsOther) {
            throw HTTPRefusal(.expectationFailed, "only 100-continue can be expected")
        }
        let request = HTTPRequest(
            method: method, scheme: scheme, authority: authority ?? framing.host, path: path,
            headerFields: reader.fields)
        // A client of 1.0 does not know what `100 Continue` is.
        let expectsContinue = framing.options.contains(.expectsContinue) && body != .none && version == .http11
        return ParsedRequest(
            head: request, version: version, body: body, keepsConnection: framing.keepsConnection(version),
            expectsContinue: expectsContinue)
    }
}
