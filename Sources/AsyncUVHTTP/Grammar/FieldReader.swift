internal import HTTPTypes
internal import UV

/// The fields of a head, line by line (RFC 9112), and what they say about the message.
///
/// It is as strict as the RFC allows: where two programs could read a head differently, one of them can be tricked.
struct FieldReader: Sendable {
    /// What a head says about the connection and the body.
    struct Framing: Sendable {
        struct Options: OptionSet, Sendable {
            let rawValue: UInt8
            static let close = Self(rawValue: 1), keepAlive = Self(rawValue: 2), upgrade = Self(rawValue: 4)
            /// The client waits for a word before it sends the body.
            static let expectsContinue = Self(rawValue: 8)
            static let expectsOther = Self(rawValue: 16)
            /// The only transfer coding is chunked.
            static let chunked = Self(rawValue: 32)
            static let otherCoding = Self(rawValue: 64)
        }

        var options: Options = []
        var host: String?
        var hostCount = 0
        /// Nothing for one that no `Int` has room for.
        var length: Int?
        var lengthCount = 0
    }

    private(set) var fields = HTTPFields()
    private(set) var framing = Framing()
    /// How many fields there are, with those that HTTPTypes keeps elsewhere.
    private var count = 0
    private var hasRoom = false

    /// Reads lines up to the empty one.
    ///
    /// - Parameter position: Where the first line begins; then where the next line begins.
    /// - Parameter room: How many bytes the fields may have, with the ends of the lines and the empty one.
    /// - Returns: Whether the empty line has come.
    mutating func read(
        _ input: borrowing ByteInput, from position: inout Int, room: inout Int, fieldCount: Int
    ) throws(HTTPRefusal) -> Bool {
        let bytes = input.bytes.span
        let names = FieldNames.shared
        while true {
            let start = position
            // A line that was not complete is not read again for each byte that comes.
            if input.searched > start, input.endOfLine(from: start) == nil {
                try checkRoom(bytes.count - start, room - 1)
                return false
            }
            var end = start, colon = start, isASCII = true
            if start < bytes.count, bytes[start] != .carriageReturn {
                colon = bytes.firstIndex(of: .colon, from: start) ?? start
                end = bytes.firstControl(from: colon + 1, isASCII: &isASCII)
                while end < bytes.count, bytes[end] == .tab {
                    end = bytes.firstControl(from: end + 1, isASCII: &isASCII)
                }
            }
            guard colon > start || end == start, end + 1 < bytes.count, bytes[end] == .carriageReturn,
                bytes[end + 1] == .lineFeed
            else {
                guard let lineEnd = input.endOfLine(from: start) else {
                    try checkRoom(bytes.count - start, room - 1)
                    return false
                }
                try checkRoom(lineEnd - start + 1, room)
                if count >= fieldCount { throw Self.tooMany }
                throw Self.problem(bytes, start..<lineEnd)
            }
            if end == start {
                try checkRoom(2, room)
                room -= 2
                position = end + 2
                return true
            }
            let (name, role) = names.name(bytes, start..<colon)
            guard let name else {
                // The colon may be one of a later line.
                let lineEnd = input.endOfLine(from: start) ?? end + 1
                try checkRoom(lineEnd - start + 1, room)
                if count >= fieldCount { throw Self.tooMany }
                throw Self.problem(bytes, start..<lineEnd)
            }
            try checkRoom(end + 2 - start, room)
            if count >= fieldCount { throw Self.tooMany }
            count += 1
            try add(name, role, bytes, bytes.trimmed(colon + 1..<end), isASCII)
            room -= end + 2 - start
            position = end + 2
        }
    }

    private func checkRoom(_ size: Int, _ room: Int) throws(HTTPRefusal) {
        if size > room { throw HTTPRefusal(.requestHeaderFieldsTooLarge, "the head is too long") }
    }

    private static let tooMany = HTTPRefusal(.requestHeaderFieldsTooLarge, "there are too many header fields")

    /// What is wrong with a line.
    ///
    /// - Parameter line: Up to the LF.
    private static func problem(_ bytes: Span<UInt8>, _ line: Range<Int>) -> HTTPRefusal {
        if line.isEmpty || bytes[line.upperBound - 1] != .carriageReturn {
            return HTTPRefusal(.badRequest, "a line does not end in CR LF")
        }
        let first = bytes[line.lowerBound]
        if first == .space || first == .tab { return HTTPRefusal(.badRequest, "a header field is folded") }
        // The name ends at the colon: a space before it would be for one program a part of the name, for others not.
        var index = line.lowerBound
        while bytes[index].isOfWord { index += 1 }
        if index == line.lowerBound || bytes[index] != .colon {
            return HTTPRefusal(.badRequest, "a header field has no proper name")
        }
        return HTTPRefusal(.badRequest, "a header field has control characters")
    }

    // MARK: What a field means

    @inline(__always)
    private mutating func add(
        _ name: HTTPField.Name, _ role: FieldNames.Role, _ bytes: Span<UInt8>, _ value: Range<Int>, _ isASCII: Bool
    ) throws(HTTPRefusal) {
        if role == .host {
            framing.hostCount += 1
            for index in value where !bytes[index].isOfHost {
                throw HTTPRefusal(.badRequest, "there has to be one Host field")
            }
            framing.host = String(copying: bytes.extracting(value))
            return
        }
        if role != .plain { note(role, bytes, value) }
        if !hasRoom {
            hasRoom = true
            fields.reserveCapacity(8)
        }
        // HTTPTypes looks through the value once more. It keeps the bytes of values that are not UTF-8.
        if isASCII {
            fields.append(HTTPField(name: name, value: String(copying: bytes.extracting(value))))
        } else {
            fields.append(HTTPField(name: name, value: [UInt8](copying: bytes.extracting(value))))
        }
    }

    @inline(never)
    private mutating func note(_ role: FieldNames.Role, _ bytes: Span<UInt8>, _ value: Range<Int>) {
        switch role {
        case .plain, .host: break
        case .contentLength:
            // A wrong one counts as two.
            framing.lengthCount += value.isEmpty ? 2 : 1
            var length: Int? = 0
            for index in value {
                guard bytes[index].isDigit else {
                    framing.lengthCount += 1
                    break
                }
                length = length.flatMap { length in
                    let (tens, isTooLarge) = length.multipliedReportingOverflow(by: 10)
                    let (sum, isLarge) = tens.addingReportingOverflow(Int(bytes[index]) - 0x30)
                    return isTooLarge || isLarge ? nil : sum
                }
            }
            framing.length = length
        case .transferEncoding:
            let isFirst = framing.options.isDisjoint(with: [.chunked, .otherCoding])
            let isChunked = isFirst && ShortWord(bytes, value) == .chunked
            framing.options.insert(isChunked ? .chunked : .otherCoding)
        case .connection: noteOptions(bytes, value)
        case .expect:
            framing.options.insert(
                ShortWord(bytes, value) == .expectContinue ? .expectsContinue : .expectsOther)
        }
    }

    private mutating func noteOptions(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        var start = value.lowerBound
        while start < value.upperBound {
            var end = start
            while end < value.upperBound, bytes[end] != .comma { end += 1 }
            switch ShortWord(bytes, bytes.trimmed(start..<end)) {
            case .close: framing.options.insert(.close)
            case .keepAlive: framing.options.insert(.keepAlive)
            case .upgrade: framing.options.insert(.upgrade)
            default: break
            }
            start = end + 1
        }
    }
}
