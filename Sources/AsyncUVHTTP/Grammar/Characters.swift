/// The sets of characters of RFC 9110 and 9112.
extension UInt8 {
    static let space = UInt8(ascii: " "), tab = UInt8(ascii: "\t"), lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r"), colon = UInt8(ascii: ":"), comma = UInt8(ascii: ",")
    static let quote = UInt8(ascii: "\""), backslash = UInt8(ascii: "\\")

    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    /// Whether it may stand in a word: a method, the name of a field.
    @inline(__always)
    var isOfWord: Bool { isIn(0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE) }

    /// Whether it may stand in the name or address of a host and its port.
    @inline(__always)
    var isOfHost: Bool { isIn(0x2FFF_7FF2_0000_0000, 0x47FF_FFFE_AFFF_FFFE) }

    /// Two sets of 64 characters each.
    @inline(__always)
    private func isIn(_ low: UInt64, _ high: UInt64) -> Bool {
        let bit: UInt64 = 1 &<< UInt64(self & 63)
        return self < 64 ? low & bit != 0 : self < 128 && high & bit != 0
    }

    /// Whether it may stand in a target: what is visible, but for `#`.
    @inline(__always)
    var isOfTarget: Bool { self &- 0x21 <= 0x5D && self != UInt8(ascii: "#") }

    /// Whether it may stand in a text: what is no control character, and a tab.
    var isOfText: Bool { self >= 0x20 && self != 0x7F || self == .tab }

    /// Of ASCII.
    @inline(__always)
    var lowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }

    /// The value of a hexadecimal digit.
    var hexadecimalValue: Int? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(self) - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): Int(self | 0x20) - 0x57
        default: nil
        }
    }
}

/// A short word in lower case, as a number: words are compared at once.
struct ShortWord: Equatable {
    private let bits: UInt128

    /// A word of ASCII, up to 16 characters.
    init(_ word: String) {
        var bits: UInt128 = 0
        for byte in word.utf8 { bits = bits << 8 | UInt128(byte) }
        self.bits = bits
    }

    /// - Returns: Nothing for an empty word, and one that is too long.
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        if range.isEmpty || range.count > 16 { return nil }
        var bits: UInt128 = 0
        for index in range { bits = bits << 8 | UInt128(bytes[index].lowercased) }
        self.bits = bits
    }

    static let chunked = Self("chunked"), close = Self("close"), keepAlive = Self("keep-alive")
    static let upgrade = Self("upgrade"), expectContinue = Self("100-continue")
}

extension Span<UInt8> {
    /// A range without spaces and tabs around it.
    @inline(__always)
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start] == .space || self[start] == .tab { start += 1 }
        while start < end, self[end - 1] == .space || self[end - 1] == .tab { end -= 1 }
        return start..<end
    }
}
