internal import HTTPTypes
internal import UV

/// The names of fields that are often there, made once: a name of its own costs an allocation or two and a look at each letter.
final class FieldNames: Sendable {
    /// What a field means for the connection.
    enum Role: Sendable { case plain, host, contentLength, transferEncoding, connection, expect }

    static let shared = FieldNames()

    /// As they are usually written, and in lower case.
    private let usual, lower: [HTTPField.Name]
    private let roles: [Role]
    /// The letters of all names, one behind the other, in both ways, and where each name begins; one more for the end.
    private let letters, lowerLetters: [UInt8]
    private let starts: [Int]
    /// Where the names are, by their hashes; -1 is none.
    private let places: [Int16]

    private static let size = 512

    private init() {
        var usual: [HTTPField.Name] = [], lower: [HTTPField.Name] = [], roles: [Role] = []
        var letters: [UInt8] = [], lowerLetters: [UInt8] = [], starts = [0]
        var places = [Int16](repeating: -1, count: Self.size)
        for text in Self.names {
            guard let name = HTTPField.Name(text), let lowerName = HTTPField.Name(text.lowercased()) else { continue }
            let bytes = Array(text.utf8)
            var place = Self.place(bytes.span, 0..<bytes.count)
            while places[place] >= 0 { place = (place + 1) & (Self.size - 1) }
            places[place] = Int16(usual.count)
            usual.append(name)
            lower.append(lowerName)
            roles.append(Self.role(of: lowerName.canonicalName))
            letters += bytes
            lowerLetters += text.lowercased().utf8
            starts.append(letters.count)
        }
        (self.usual, self.lower, self.roles) = (usual, lower, roles)
        (self.letters, self.lowerLetters, self.starts, self.places) = (letters, lowerLetters, starts, places)
    }

    private static func role(of name: String) -> Role {
        switch name {
        case "host": .host
        case "content-length": .contentLength
        case "transfer-encoding": .transferEncoding
        case "connection": .connection
        case "expect": .expect
        default: .plain
        }
    }

    /// The hash of a name that is not empty, the same for both cases: of its length and three letters.
    @inline(__always)
    private static func place(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        let first = UInt32(bytes[range.lowerBound] | 0x20), last = UInt32(bytes[range.upperBound - 1] | 0x20)
        let middle = UInt32(bytes[range.lowerBound + range.count / 2] | 0x20)
        let key = first | middle << 8 | last << 16 | UInt32(truncatingIfNeeded: range.count) << 24
        return Int((key &* 0x9E37_79B1) >> 23)
    }

    /// The name that stands in a range, which is not empty, and what it means; nothing for what is no name.
    @inline(__always)
    func name(_ bytes: Span<UInt8>, _ range: Range<Int>) -> (name: HTTPField.Name?, role: Role) {
        var place = Self.place(bytes, range)
        while places[place] >= 0 {
            let index = Int(places[place])
            let known = starts[index]..<starts[index + 1]
            if known.count == range.count {
                if bytes.hasSame(range, as: letters, known) { return (usual[index], roles[index]) }
                if bytes.hasSame(range, as: lowerLetters, known) { return (lower[index], roles[index]) }
                let name = HTTPField.Name(String(copying: bytes.extracting(range)))
                if name == lower[index] { return (name, roles[index]) }
            }
            place = (place + 1) & (Self.size - 1)
        }
        return (HTTPField.Name(String(copying: bytes.extracting(range))), .plain)
    }

    private static let names = [
        "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Accept-Ranges",
        "Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Allow-Origin",
        "Access-Control-Request-Headers", "Access-Control-Request-Method", "Age", "Allow", "Authorization",
        "Cache-Control", "Connection", "Content-Disposition", "Content-Encoding", "Content-Language",
        "Content-Length", "Content-Range", "Content-Security-Policy", "Content-Type", "Cookie", "DNT", "Date",
        "ETag", "Expect", "Expires", "Forwarded", "From", "Host", "If-Match", "If-Modified-Since", "If-None-Match",
        "If-Range", "If-Unmodified-Since", "Keep-Alive", "Last-Modified", "Link", "Location", "Origin", "Pragma",
        "Priority", "Proxy-Authorization", "Range", "Referer", "Retry-After", "Sec-Fetch-Dest", "Sec-Fetch-Mode",
        "Sec-Fetch-Site", "Sec-Fetch-User", "Sec-GPC", "Sec-WebSocket-Accept", "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version", "Server", "Set-Cookie",
        "Strict-Transport-Security", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Upgrade-Insecure-Requests",
        "User-Agent", "Vary", "Via", "WWW-Authenticate", "X-Content-Type-Options", "X-Forwarded-For",
        "X-Forwarded-Host", "X-Forwarded-Proto", "X-Frame-Options", "X-Real-IP", "X-Request-ID", "X-Requested-With",
        "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "traceparent", "tracestate",
    ]
}
