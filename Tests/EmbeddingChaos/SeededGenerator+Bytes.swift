extension SeededGenerator {
    /// Bytes of which one in 97 is random: each costs much under a sanitizer.
    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: next()), count: count)
        for index in stride(from: 0, to: count, by: 97) { bytes[index] = UInt8(truncatingIfNeeded: next()) }
        return bytes
    }
}
