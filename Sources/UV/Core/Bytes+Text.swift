extension String {
    /// Copies lent bytes of text; wrong UTF-8 is repaired.
    package init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension Span<UInt8> {
    /// The first control character at a position or behind it: below 0x20, or DEL. The span's count when there is none.
    package func firstControl(from start: Int) -> Int {
        unsafe withUnsafeBufferPointer { bytes in
            let high: UInt64 = 0x8080_8080_8080_8080, ones: UInt64 = 0x0101_0101_0101_0101
            var index = start
            // Eight at a time. Borrows between bytes may make a byte behind the first control character look like one, never one
            // before it.
            while index + 8 <= bytes.count {
                let word = unsafe UInt64(
                    littleEndian: UnsafeRawPointer(bytes.baseAddress!).loadUnaligned(
                        fromByteOffset: index, as: UInt64.self))
                let delete = word ^ (ones &* 0x7F)
                let found = ((word &- ones &* 0x20) | (delete &- ones)) & ~word & high
                // DEL itself has no high bit, and neither has a byte that is equal to it.
                if found != 0 { return index + found.trailingZeroBitCount / 8 }
                index += 8
            }
            while index < bytes.count {
                let byte = unsafe bytes[index]
                if byte < 0x20 || byte == 0x7F { return index }
                index += 1
            }
            return bytes.count
        }
    }
}
