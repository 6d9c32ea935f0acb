internal import UVPlatform

extension Span<UInt8> {
    /// Where a byte comes first, at a position or behind it.
    package func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        unsafe withUnsafeBufferPointer { bytes in
            // Without bytes there may be no address.
            guard start < bytes.count, let base = bytes.baseAddress else { return nil }
            guard let found = unsafe memchr(base + start, CInt(byte), bytes.count - start) else { return nil }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }
}

extension [UInt8] {
    /// Copies lent bytes into an array of their own.
    public init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// Makes an array of bytes that are not initialized; the caller sets them before anybody reads them.
    static func unset(count: Int) -> Self {
        #if compiler(>=6.3)
        // The initializer below asks the runtime for the metadata of the storage each time: 270 instructions.
        var bytes: Self = []
        bytes.reserveCapacity(count)
        bytes.append(addingCapacity: count) { span in unsafe span.withUnsafeMutableBufferPointer { $1 = count } }
        return bytes
        #else
        return unsafe Self(unsafeUninitializedCapacity: count) { $1 = count }
        #endif
    }

    /// Appends a copy of lent bytes.
    public mutating func append(copying bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
