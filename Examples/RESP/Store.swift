internal import AsyncUV

/// Values by their keys, and the commands on them.
public struct Store: Sendable {
    private var values: [Key: [UInt8]] = [:]
    /// How many commands were answered so far.
    public private(set) var commands = 0

    public init() {}

    /// Does a command and adds its answer.
    ///
    /// - Parameter arguments: Where its arguments are in the bytes, its name first.
    public mutating func answer(_ arguments: [Range<Int>], in bytes: Span<UInt8>, _ answers: inout Answers) {
        commands += 1
        let name = bytes.extracting(arguments[0])
        switch (Command(name), arguments.count) {
        case (.get, 2):
            if let value = values[Key(bytes.extracting(arguments[1]))] {
                answers.add(bulk: value)
            } else {
                answers.addNull()
            }
        case (.set, 3):
            values[Key(bytes.extracting(arguments[1]))] = [UInt8](copying: bytes.extracting(arguments[2]))
            answers.addOK()
        case (.del, 2...):
            let gone = arguments.dropFirst().count { values.removeValue(forKey: Key(bytes.extracting($0))) != nil }
            answers.add(number: gone)
        case (.ping, 1): answers.addPong()
        case (.ping, 2): answers.add(bulk: bytes.extracting(arguments[1]))
        case (let command?, _):
            answers.add(error: "ERR wrong number of arguments for '\(command)' command")
        case (nil, _):
            let text = String(decoding: [UInt8](copying: name.extracting(first: 64)), as: UTF8.self)
            answers.add(error: "ERR unknown command '\(text.filter { !$0.isNewline })'")
        }
    }
}

/// What a client can ask for.
private enum Command {
    case ping, get, set, del

    /// In capitals or not.
    init?(_ name: Span<UInt8>) {
        guard (3...4).contains(name.count) else { return nil }
        var word: UInt32 = 0
        for index in name.indices { word = word << 8 | UInt32(name[index] | 0x20) }
        switch word {
        case 0x70_69_6e_67: self = .ping
        case 0x67_65_74: self = .get
        case 0x73_65_74: self = .set
        case 0x64_65_6c: self = .del
        default: return nil
        }
    }
}

/// The bytes of a key. Those of a short one are in two words, so that it needs no memory of its own.
private struct Key: Hashable, Sendable {
    private let count: Int
    private let first: UInt64
    private let second: UInt64
    private let rest: [UInt8]

    init(_ bytes: Span<UInt8>) {
        count = bytes.count
        first = Self.word(bytes, from: 0)
        second = Self.word(bytes, from: 8)
        rest = count > 16 ? [UInt8](copying: bytes.extracting(droppingFirst: 16)) : []
    }

    /// Up to eight bytes.
    private static func word(_ bytes: Span<UInt8>, from start: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in start..<max(start, min(start + 8, bytes.count)) { word = word << 8 | UInt64(bytes[index]) }
        return word
    }

    /// Words at a time: an array would feed each byte alone.
    func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        hasher.combine(first)
        hasher.combine(second)
        for start in stride(from: 0, to: rest.count, by: 8) { hasher.combine(Self.word(rest.span, from: start)) }
    }
}
