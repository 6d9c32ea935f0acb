/// What a client sent is no command.
public struct ProtocolError: Error, Equatable {
    public let reason: String
}

/// Finds commands of Redis's protocol in bytes: `*2 CR LF $3 CR LF GET CR LF $3 CR LF key CR LF`. It copies nothing, and reads a
/// command that is not there as a whole again from its start.
public struct CommandParser: Sendable {
    private static let mostArguments = 1_024
    private static let longestArgument = 8 << 20

    /// Where the arguments of the last command are, its name first.
    public private(set) var arguments: [Range<Int>] = []

    public init() {}

    /// Parses the command at a position.
    ///
    /// - Returns: Where it ends; `nil` when it is not there as a whole.
    public mutating func parse(_ bytes: Span<UInt8>, from start: Int) throws(ProtocolError) -> Int? {
        var position = start
        guard let count = try number(after: UInt8(ascii: "*"), in: bytes, &position) else { return nil }
        guard (1...Self.mostArguments).contains(count) else { throw ProtocolError(reason: "invalid multibulk length") }
        if arguments.count != count { arguments = Array(repeating: 0..<0, count: count) }
        for index in 0..<count {
            guard let length = try number(after: UInt8(ascii: "$"), in: bytes, &position) else { return nil }
            guard length <= Self.longestArgument else { throw ProtocolError(reason: "invalid bulk length") }
            let end = position + length
            guard end + 2 <= bytes.count else { return nil }
            guard bytes[end] == UInt8(ascii: "\r"), bytes[end + 1] == UInt8(ascii: "\n") else {
                throw ProtocolError(reason: "an argument is longer than its length")
            }
            arguments[index] = position..<end
            position = end + 2
        }
        return position
    }

    /// A mark, a decimal number of at most nine digits, CR LF.
    @inline(__always)
    private func number(
        after mark: UInt8, in bytes: Span<UInt8>, _ position: inout Int
    ) throws(ProtocolError) -> Int? {
        guard position < bytes.count else { return nil }
        guard bytes[position] == mark else { throw Self.expected(mark, bytes[position]) }
        var number = 0
        var index = position + 1
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            let digit = byte &- UInt8(ascii: "0")
            if digit < 10, index - position <= 10 {
                number = number &* 10 &+ Int(digit)
            } else if byte == UInt8(ascii: "\r"), index > position + 2 {
                guard index < bytes.count else { return nil }
                guard bytes[index] == UInt8(ascii: "\n") else { throw ProtocolError(reason: "CR without LF") }
                position = index + 1
                return number
            } else {
                throw ProtocolError(
                    reason: mark == UInt8(ascii: "*") ? "invalid multibulk length" : "invalid bulk length")
            }
        }
        return nil
    }

    private static func expected(_ mark: UInt8, _ byte: UInt8) -> ProtocolError {
        let got = (33...126).contains(byte) ? String(UnicodeScalar(byte)) : "byte \(byte)"
        return ProtocolError(reason: "expected '\(UnicodeScalar(mark))', got '\(got)'")
    }
}
