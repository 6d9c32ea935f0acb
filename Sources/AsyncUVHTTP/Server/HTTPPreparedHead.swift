public import HTTPTypes
internal import UV

/// A status and fields that are the same for many answers, written once.
///
/// Length, transfer coding, `Connection` and the date come from the server. A `Content-Length` among the fields counts for answers
/// that have no body but say how long it would be (HEAD, 304), `Connection: close` ends the connection, a `Date` replaces the server's.
public struct HTTPPreparedHead: Sendable {
    /// The status of all answers with this head.
    public let status: HTTPResponse.Status
    /// The first line and the fields, each line with its end.
    let bytes: [UInt8]
    let notes: Notes
    /// For other versions of HTTP.
    let fields: HTTPFields

    /// Writes the head once.
    public init(_ status: HTTPResponse.Status, _ fields: HTTPFields = [:]) {
        self.status = status
        self.fields = fields
        var bytes: [UInt8] = []
        notes = Self.write(status, fields, to: &bytes)
        self.bytes = bytes
    }

    /// What the fields say that the server has to know.
    struct Notes: Sendable {
        var length: Int?
        var closes = false
        var hasDate = false
    }

    /// Writes the first line and the fields that are not the server's affair.
    static func write(_ status: HTTPResponse.Status, _ fields: HTTPFields, to bytes: inout [UInt8]) -> Notes {
        var notes = Notes()
        bytes.append(copying: "HTTP/1.1 ".utf8.span)
        let code = status.code
        bytes.append(UInt8(ascii: "0") + UInt8(code / 100 % 10))
        bytes.append(UInt8(ascii: "0") + UInt8(code / 10 % 10))
        bytes.append(UInt8(ascii: "0") + UInt8(code % 10))
        bytes.append(.space)
        bytes.append(copying: status.reasonPhrase.utf8.span)
        bytes.endLine()
        for field in fields where !notes.take(field) { write(field, to: &bytes) }
        return notes
    }

    /// Writes the fields behind a body. Those that would say something about the message itself are left out.
    static func write(trailers: HTTPFields, to bytes: inout [UInt8]) {
        var notes = Notes()
        for field in trailers where !notes.take(field) { write(field, to: &bytes) }
    }

    @inline(__always)
    private static func write(_ field: HTTPField, to bytes: inout [UInt8]) {
        bytes.append(copying: field.name.rawName.utf8.span)
        bytes.append(.colon)
        bytes.append(.space)
        bytes.append(copying: field.value.utf8.span)
        bytes.endLine()
    }
}

extension HTTPPreparedHead.Notes {
    /// Takes a field that the server writes itself.
    fileprivate mutating func take(_ field: HTTPField) -> Bool {
        // Most fields have other lengths.
        switch field.name.canonicalName.utf8.count {
        case 4:
            if field.name == .date { hasDate = true }
            return false
        case 10 where field.name == .connection:
            let options = field.value.lowercased().split(separator: ",")
            let isClose = options.contains { $0.drop { $0 == " " }.prefix { $0 != " " } == "close" }
            if isClose { closes = true }
            return isClose
        case 14 where field.name == .contentLength:
            length = Int(field.value)
            return true
        case 17: return field.name == .transferEncoding
        default: return false
        }
    }
}

extension [UInt8] {
    @inline(__always)
    mutating func endLine() {
        append(.carriageReturn)
        append(.lineFeed)
    }

    /// Appends a number that is not negative.
    mutating func append(decimal number: Int) {
        if number < 10 { return append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number)) }
        append(decimal: number / 10)
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }
}
