internal import CReadiness

/// The three sets of select(2).
struct DescriptorSets {
    private var readable = DescriptorSet()
    private var writable = DescriptorSet()
    private var priority = DescriptorSet()

    mutating func set(_ descriptor: CInt, to interest: Interest) {
        readable.set(descriptor, to: interest.contains(.readable))
        writable.set(descriptor, to: interest.contains(.writable))
        priority.set(descriptor, to: interest.contains(.priority))
    }

    /// Whether the descriptor is in one of the sets.
    func contains(_ descriptor: CInt) -> Bool {
        let (index, bit) = DescriptorSet.place(of: descriptor)
        return word(of: index) & bit != 0
    }

    /// Waits, and leaves in the sets what is ready. Returns what select returns, or `-errno`.
    mutating func select(below end: CInt, _ microseconds: Int64) -> CInt {
        unsafe readiness_select(end, &readable.words, &writable.words, &priority.words, microseconds)
    }

    /// Calls `body` for each descriptor below `end`, in ascending order, with the sets that it is in.
    func forEach(below end: CInt, _ body: (CInt, ReadyEvent.Readiness) -> Void) {
        for index in 0..<Int(end + 63) / 64 {
            var rest = word(of: index)
            while rest != 0 {
                let bit = rest & ~(rest &- 1)
                var readiness: ReadyEvent.Readiness = []
                if readable.words[index] & bit != 0 { readiness.insert(.readable) }
                if writable.words[index] & bit != 0 { readiness.insert(.writable) }
                if priority.words[index] & bit != 0 { readiness.insert(.priority) }
                body(CInt(index * 64 + rest.trailingZeroBitCount), readiness)
                rest ^= bit
            }
        }
    }

    private func word(of index: Int) -> UInt64 { readable.words[index] | writable.words[index] | priority.words[index] }
}

/// An `fd_set`: FD_SETSIZE bits in words of the machine.
private struct DescriptorSet {
    var words: [16 of UInt64] = .init(repeating: 0)

    mutating func set(_ descriptor: CInt, to isMember: Bool) {
        let (word, bit) = Self.place(of: descriptor)
        words[word] = isMember ? words[word] | bit : words[word] & ~bit
    }

    static func place(of descriptor: CInt) -> (word: Int, bit: UInt64) {
        (Int(descriptor) / 64, UInt64(1) << UInt64(descriptor % 64))
    }
}
