/// A number that stands for all that has gone into it, in its order (FNV-1a).
struct Digest {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    mutating func add(_ text: String) { for byte in text.utf8 { add(byte) } }
    /// Those that ``SeededGenerator/bytes(_:)`` has made random.
    mutating func add(_ bytes: [UInt8]) { for index in stride(from: 0, to: bytes.count, by: 97) { add(bytes[index]) } }
}
