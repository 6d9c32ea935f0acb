extension [UInt8] {
    /// Copies lent bytes into an array of their own.
    public init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// An array whose bytes will be set before anybody looks at them.
    static func unset(count: Int) -> Self {
        unsafe Self(unsafeUninitializedCapacity: count) { $1 = count }
    }

    /// Appends a copy of lent bytes.
    public mutating func append(copying bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
