internal import HTTPTypes
internal import UV

/// The names of fields that are often there, made once: a name of its own costs an allocation or two and a look at each letter.
final class FieldNames: Sendable {
    /// What a field means for the connection.
    enum Role: Sendable { case plain, host, contentLength, transferEncoding, connection, expect }

    static let shared = FieldNames()

    private struct Entry {
        /// As it is usually written, and in lower case.
        let usual, lower: HTTPField.Name
        let letters, lowerLetters: [UInt8]
        let role: Role
    }

    private let entries: [Entry]
    /// Where the entries are, by the hash of their names; -1 is none.
    private let places: [Int16]

    private init() {
        var entries: [Entry] = []
        var places = [Int16](repeating: -1, count: 256)
        for name in Self.names {
            guard let usual = HTTPField.Name(name), let lower = HTTPField.Name(name.lowercased()) else { continue }
            var hash: UInt32 = 0
            for byte in name.utf8 { hash = Self.hash(hash, byte) }
            var place = Self.place(hash)
            while places[place] >= 0 { place = (place + 1) & 255 }
            places[place] = Int16(entries.count)
            entries.append(
                Entry(
                    usual: usual, lower: lower, letters: Array(name.utf8),
                    lowerLetters: Array(name.lowercased().utf8), role: Self.role(of: lower.canonicalName)))
        }
        self.entries = entries
        self.places = places
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

    /// The hash of a name with one more letter, the same for both cases.
    @inline(__always)
    static func hash(_ hash: UInt32, _ byte: UInt8) -> UInt32 { (hash ^ UInt32(byte | 0x20)) &* 0x0100_0193 }

    @inline(__always)
    private static func place(_ hash: UInt32) -> Int { Int((hash ^ hash >> 15) & 255) }

    /// The name that stands in a range of words' characters, and what it means.
    @inline(__always)
    func name(_ bytes: Span<UInt8>, _ range: Range<Int>, _ hash: UInt32) -> (name: HTTPField.Name?, role: Role) {
        var place = Self.place(hash)
        while places[place] >= 0 {
            let entry = Int(places[place])
            if entries[entry].letters.count == range.count {
                if Self.isSame(entries[entry].letters, bytes, range) {
                    return (entries[entry].usual, entries[entry].role)
                }
                if Self.isSame(entries[entry].lowerLetters, bytes, range) {
                    return (entries[entry].lower, entries[entry].role)
                }
                let name = HTTPField.Name(String(copying: bytes.extracting(range)))
                if name == entries[entry].usual { return (name, entries[entry].role) }
            }
            place = (place + 1) & 255
        }
        return (HTTPField.Name(String(copying: bytes.extracting(range))), .plain)
    }

    @inline(__always)
    private static func isSame(_ letters: [UInt8], _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in 0..<letters.count where letters[index] != bytes[range.lowerBound + index] { return false }
        return true
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
