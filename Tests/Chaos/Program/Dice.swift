/// What chance decides; the same seed decides the same.
struct Dice: RandomNumberGenerator {
    private var numbers: SeededGenerator

    init(seed: UInt64) { numbers = SeededGenerator(seed: seed) }

    /// Those of one step: what happens in between does not change what later steps do.
    init(seed: UInt64, step: Int) {
        self.init(seed: seed ^ (UInt64(step) &* 0xD6E8_FEB8_6659_FD93))
        _ = next()
    }

    mutating func next() -> UInt64 { numbers.next() }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// True once in so many throws.
    mutating func oneIn(_ count: Int) -> Bool { number(1...count) == 1 }

    /// A count of bytes: often small, sometimes more than a socket takes.
    mutating func size() -> Int {
        switch number(0...9) {
        case 0: 0
        case 1...4: number(1...100)
        case 5...7: number(100...10_000)
        case 8: number(60_000...70_000)
        default: number(100_000...600_000)
        }
    }
}
