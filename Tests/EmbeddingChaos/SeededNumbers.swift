/// Random numbers that come again with the same seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Bytes of which one in 97 is random: each costs much under a sanitizer.
    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: next()), count: count)
        for index in stride(from: 0, to: count, by: 97) { bytes[index] = UInt8(truncatingIfNeeded: next()) }
        return bytes
    }
}

/// A number that stands for all that has gone into it, in its order (FNV-1a).
struct Digest {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    mutating func add(_ text: String) { for byte in text.utf8 { add(byte) } }
    /// Those that ``SeededNumbers/bytes(_:)`` has made random.
    mutating func add(_ bytes: [UInt8]) { for index in stride(from: 0, to: bytes.count, by: 97) { add(bytes[index]) } }
}
