extension [UInt8] {
    /// Combines the bytes from a position on with a key of four bytes that repeats, by exclusive or, eight at a time.
    ///
    /// - Parameter key: Its lowest byte belongs to the first position.
    package mutating func exclusiveOr(from start: Int, with key: UInt32) {
        unsafe withUnsafeMutableBytes { bytes in
            let wide = (UInt64(key) | UInt64(key) << 32).littleEndian
            var index = start
            while index + 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                unsafe bytes.storeBytes(of: word ^ wide, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            var rest = key
            while index < bytes.count {
                unsafe bytes[index] ^= UInt8(truncatingIfNeeded: rest)
                rest = rest >> 8 | rest << 24
                index += 1
            }
        }
    }
}

extension Span<UInt8> {
    /// The first byte at a position or behind it that is not ASCII; the span's count when there is none.
    package func firstNonASCII(from start: Int) -> Int {
        unsafe withUnsafeBytes { bytes in
            var index = start
            while index + 8 <= bytes.count {
                let word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let high = word & 0x8080_8080_8080_8080
                if high != 0 { return index + high.trailingZeroBitCount / 8 }
                index += 8
            }
            while index < bytes.count, unsafe bytes[index] < 0x80 { index += 1 }
            return index
        }
    }
}
