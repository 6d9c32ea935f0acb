/// Makes keys of the bytes of a terminal in raw mode: UTF-8, and the sequences of xterm, its relatives, and the Linux console.
public struct KeyDecoder: Sendable {
    private static let escape: UInt8 = 0x1b
    /// Longer sequences are unknown.
    private static let longest = 32

    private var bytes: [UInt8] = []
    /// Whether no more bytes belong to what is there.
    private var isFlushed = false

    /// A decoder to which nothing has come yet.
    public init() {}

    /// Adds bytes that have come.
    public mutating func append(_ bytes: [UInt8]) {
        isFlushed = false
        self.bytes += bytes
    }

    /// Whether bytes are there that may be the beginning of a longer key. Escape is a key, and the first byte of others: if nothing more
    /// comes soon, call ``flush()``.
    public var isIncomplete: Bool { !bytes.isEmpty }

    /// Says that no more bytes belong to those that are there, so that ``next()`` makes keys of them.
    public mutating func flush() { isFlushed = true }

    /// Takes the next key; `nil` when more bytes are needed.
    public mutating func next() -> Key? {
        guard !bytes.isEmpty else { return nil }
        guard let (key, count) = Self.key(in: bytes[...]) else {
            if !isFlushed { return nil }
            let isEscape = bytes[0] == Self.escape
            bytes.removeFirst(isEscape ? 1 : bytes.count)
            return isEscape ? Key(.escape) : Key("\u{fffd}")
        }
        bytes.removeFirst(count)
        return key
    }

    /// The first key and how many bytes it has; `nil` when it is not there as a whole.
    private static func key(in bytes: ArraySlice<UInt8>) -> (Key, Int)? {
        guard let first = bytes.first else { return nil }
        if first == escape { return sequence(in: bytes) }
        if first < 0x20 || first == 0x7f { return (control(first), 1) }
        return character(in: bytes)
    }

    private static func control(_ byte: UInt8) -> Key {
        switch byte {
        case 0x0a, 0x0d: Key(.enter)
        case 0x09: Key(.tab)
        case 0x08, 0x7f: Key(.backspace)
        case 0: .control(" ")
        case 1...26: .control(Character(Unicode.Scalar(byte + 0x60)))
        default: .control(Character(Unicode.Scalar(byte + 0x40)))
        }
    }

    private static func character(in bytes: ArraySlice<UInt8>) -> (Key, Int)? {
        let first = bytes[bytes.startIndex]
        let length =
            switch first {
            case ..<0x80: 1
            case 0xc2...0xdf: 2
            case 0xe0...0xef: 3
            case 0xf0...0xf4: 4
            default: 0
            }
        let wrong = (Key("\u{fffd}"), 1)
        if length == 0 { return wrong }
        let present = bytes.prefix(length)
        guard present.dropFirst().allSatisfy({ $0 & 0xc0 == 0x80 }) else { return wrong }
        guard present.count == length else { return nil }
        guard let text = String(validating: present, as: UTF8.self), let character = text.first else { return wrong }
        return (Key(character), length)
    }

    // MARK: Sequences

    private static func sequence(in bytes: ArraySlice<UInt8>) -> (Key, Int)? {
        let rest = bytes.dropFirst()
        switch rest.first {
        case nil: return nil
        case escape: return (Key(.escape), 1)
        case UInt8(ascii: "["): return controlSequence(in: bytes)
        case UInt8(ascii: "O"):
            guard let last = rest.dropFirst().first else { return nil }
            guard let code = code(ofFinal: last) else { return (Key(.unknown(Array(bytes.prefix(3)))), 3) }
            return (Key(code), 3)
        default:
            guard var (key, count) = key(in: rest) else { return nil }
            key.modifiers.insert(.alt)
            count += 1
            return (key, count)
        }
    }

    private static func controlSequence(in bytes: ArraySlice<UInt8>) -> (Key, Int)? {
        let body = bytes.dropFirst(2)
        // The Linux console has F1 to F5 as ESC [ [ A and so on.
        if body.first == UInt8(ascii: "[") {
            guard let last = body.dropFirst().first else { return nil }
            let isKey = (UInt8(ascii: "A")...UInt8(ascii: "E")).contains(last)
            return (Key(isKey ? .function(Int(last) - 0x40) : .unknown(Array(bytes.prefix(4)))), 4)
        }
        guard let end = body.firstIndex(where: { !(0x20...0x3f).contains($0) }) else {
            return bytes.count < longest ? nil : (Key(.unknown(Array(bytes.prefix(longest)))), longest)
        }
        let count = end - bytes.startIndex + 1
        if count > longest { return (Key(.unknown(Array(bytes.prefix(longest)))), longest) }
        let numbers = body[..<end].split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map {
            Int(String(decoding: $0, as: UTF8.self))
        }
        // 1 for none, and so on: a bit for each key that was held.
        let held = numbers.count > 1 ? min(max(numbers[1] ?? 1, 1), 16) - 1 : 0
        let modifiers = Key.Modifiers(rawValue: UInt8(truncatingIfNeeded: held) & 7)
        if bytes[end] == UInt8(ascii: "Z") { return (Key(.tab, .shift), count) }
        let code = bytes[end] == UInt8(ascii: "~") ? code(ofNumber: numbers.first ?? nil) : code(ofFinal: bytes[end])
        guard let code else { return (Key(.unknown(Array(bytes.prefix(count)))), count) }
        return (Key(code, modifiers), count)
    }

    private static func code(ofFinal byte: UInt8) -> Key.Code? {
        switch byte {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): .right
        case UInt8(ascii: "D"): .left
        case UInt8(ascii: "H"): .home
        case UInt8(ascii: "F"): .end
        case UInt8(ascii: "P")...UInt8(ascii: "S"): .function(Int(byte - UInt8(ascii: "P")) + 1)
        default: nil
        }
    }

    private static func code(ofNumber number: Int?) -> Key.Code? {
        switch number {
        case 1, 7: .home
        case 2: .insert
        case 3: .delete
        case 4, 8: .end
        case 5: .pageUp
        case 6: .pageDown
        case .some(let number) where (11...15).contains(number): .function(number - 10)
        case .some(let number) where (17...21).contains(number): .function(number - 11)
        case 23: .function(11)
        case 24: .function(12)
        default: nil
        }
    }
}
