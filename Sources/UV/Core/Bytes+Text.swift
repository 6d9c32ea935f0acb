internal import UVPlatform

extension String {
    /// Copies lent bytes of text; wrong UTF-8 is repaired.
    package init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension Span<UInt8> {
    /// The first control character at a position or behind it, below 0x20 or DEL: the span's count when there is none.
    ///
    /// - Parameter isASCII: Set to false when a byte before it has its highest bit set.
    package func firstControl(from start: Int, isASCII: inout Bool) -> Int {
        unsafe withUnsafeBufferPointer { bytes in
            let high: UInt64 = 0x8080_8080_8080_8080, ones: UInt64 = 0x0101_0101_0101_0101
            var index = start, seen: UInt64 = 0
            defer { if seen & high != 0 { isASCII = false } }
            // Eight at a time. Borrows between bytes may make a byte behind the first control character look like one, never one
            // before it.
            while index + 8 <= bytes.count {
                let word = unsafe UInt64(
                    littleEndian: UnsafeRawPointer(bytes.baseAddress!).loadUnaligned(
                        fromByteOffset: index, as: UInt64.self))
                let delete = word ^ (ones &* 0x7F)
                let found = ((word &- ones &* 0x20) | (delete &- ones)) & ~word & high
                if found != 0 {
                    let count = found.trailingZeroBitCount / 8
                    seen |= word & ((1 &<< UInt64(count * 8)) &- 1)
                    return index + count
                }
                seen |= word
                index += 8
            }
            while index < bytes.count {
                let byte = unsafe bytes[index]
                if byte < 0x20 || byte == 0x7F { return index }
                seen |= UInt64(byte)
                index += 1
            }
            return bytes.count
        }
    }

    /// Whether a range has the same bytes as others.
    package func hasSame(_ range: Range<Int>, as other: [UInt8], _ otherRange: Range<Int>) -> Bool {
        precondition(range.upperBound <= count && otherRange.upperBound <= other.count)
        if range.count != otherRange.count { return false }
        return unsafe withUnsafeBufferPointer { bytes in
            unsafe other.withUnsafeBufferPointer { others in
                guard let one = bytes.baseAddress, let two = others.baseAddress else { return true }
                return unsafe memcmp(one + range.lowerBound, two + otherRange.lowerBound, range.count) == 0
            }
        }
    }
}
