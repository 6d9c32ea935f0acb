public import AsyncUVHTTP
internal import HTTPTypes

/// The names in the path of a request, decoded. This is the only place where anything is decoded.
public struct RequestPath: Equatable, Sendable {
    /// The bytes of each name: never none, without NUL and slashes, and the first is not a dot.
    public private(set) var names: [[UInt8]] = []
    /// Whether it is written as a directory's.
    public private(set) var isDirectory = true
    /// From the question mark on, as it came.
    public private(set) var query = ""

    /// Takes the target of a request.
    ///
    /// - Throws: A refusal for whatever could lead out of a directory, and for names that begin with a dot, which are
    ///   hidden.
    public init(_ target: String) throws(HTTPRefusal) {
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
        query = String(target[path.endIndex...])
        guard path.first == Self.slash else { throw HTTPRefusal(.badRequest, "the path does not begin with a slash") }
        for part in path.split(separator: Self.slash) {
            let name = try Self.decoded(part)
            guard name.first != UInt8(ascii: ".") else { throw HTTPRefusal(.forbidden, "the name begins with a dot") }
            names.append(name)
        }
        isDirectory = path.last == Self.slash
    }

    private static let slash = UInt8(ascii: "/")

    private static func decoded(_ part: Substring.UTF8View) throws(HTTPRefusal) -> [UInt8] {
        guard part.contains(UInt8(ascii: "%")) else { return Array(part) }
        var bytes: [UInt8] = []
        var rest = part
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            guard digits.count == 2 else { throw HTTPRefusal(.badRequest, "a percent sign without two digits") }
            rest.removeFirst(2)
            let value = UInt8(digits[0] << 4 | digits[1])
            guard value != 0, value != slash else {
                throw HTTPRefusal(.badRequest, "a name with a NUL or a slash")
            }
            bytes.append(value)
        }
        return bytes
    }

    /// The path as a link: with one slash at the start, so that it never is the name of a host.
    public var link: String {
        "/" + names.map(Self.encoded).joined(separator: "/") + (isDirectory && !names.isEmpty ? "/" : "")
    }

    /// The path to read; wrong UTF-8 is repaired.
    public var text: String {
        "/" + names.map { String(decoding: $0, as: UTF8.self) + "/" }.joined().dropLast(isDirectory ? 0 : 1)
    }

    /// A name as part of a link.
    public static func encoded(_ name: some Sequence<UInt8>) -> String {
        var link = ""
        for byte in name {
            if byte.isLetter || byte.isDigit || "-._~".utf8.contains(byte) {
                link.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                link += (digits.count == 1 ? "%0" : "%") + digits
            }
        }
        return link
    }
}
