/// How often a loop was busy for how long: durations in buckets of at most 3 %, from a microsecond to an hour.
///
/// The buckets are those of HdrHistogram: each power of two is cut into 32. A histogram takes 7 KiB, however much it counts.
public struct LagHistogram: Sendable {
    /// Each power of two has 2^5 buckets.
    private static let fineness = 5
    /// The largest duration that has a bucket of its own, in microseconds: longer ones are counted there.
    private static let largest = UInt64(1) << 32 - 1

    private var counts = [Int](repeating: 0, count: LagHistogram.index(of: LagHistogram.largest) + 1)
    /// How many durations were recorded.
    public private(set) var count = 0
    /// Their sum.
    public private(set) var total = Duration.zero
    /// The longest of them, exactly.
    public private(set) var longest = Duration.zero

    /// A histogram in which nothing was recorded yet.
    public init() {}

    /// Counts a duration. A negative one is zero.
    public mutating func record(_ duration: Duration) {
        let duration = max(.zero, duration)
        counts[Self.index(of: Self.microseconds(duration))] += 1
        count += 1
        total += duration
        longest = max(longest, duration)
    }

    /// The duration that a part of the recorded ones does not exceed: 0.5 is the median, 0.99 leaves one in a hundred above. It is at most
    /// 3 % and a microsecond too long; zero when nothing was recorded, and for a part that is not a number.
    public func quantile(_ part: Double) -> Duration {
        if part.isNaN { return .zero }
        let rank = max(1, Int((min(max(part, 0), 1) * Double(count)).rounded(.up)))
        var seen = 0
        for (index, count) in counts.enumerated() where count > 0 {
            seen += count
            if seen >= rank { return min(longest, .microseconds(Self.end(of: index))) }
        }
        return .zero
    }

    /// How many durations were not longer than this one, which counts as the bucket that it falls into.
    public func count(upTo duration: Duration) -> Int {
        if duration < .zero { return 0 }
        return counts[...Self.index(of: Self.microseconds(duration))].reduce(0, +)
    }

    /// The mean; zero when nothing was recorded.
    public var mean: Duration { count == 0 ? .zero : total / count }

    /// What was recorded since an earlier state of the same histogram. The longest is known no better than its bucket.
    public func since(_ earlier: LagHistogram) -> LagHistogram {
        var rest = self
        var last: Int?
        for index in counts.indices {
            rest.counts[index] -= earlier.counts[index]
            if rest.counts[index] > 0 { last = index }
        }
        rest.count -= earlier.count
        rest.total -= earlier.total
        rest.longest = last.map { min(longest, .microseconds(Self.end(of: $0))) } ?? .zero
        return rest
    }

    // MARK: Buckets

    /// Rounded up, so that what is called "up to a millisecond" is not more.
    private static func microseconds(_ duration: Duration) -> UInt64 {
        let (seconds, rest) = duration.components
        guard seconds < 1 << 31 else { return largest }
        return min(largest, UInt64(seconds) * 1_000_000 + UInt64((rest + 999_999_999_999) / 1_000_000_000_000))
    }

    private static func index(of microseconds: UInt64) -> Int {
        let exponent = 63 - (microseconds | 1).leadingZeroBitCount
        let shift = max(0, exponent - fineness)
        return shift << fineness + Int(microseconds >> UInt64(shift))
    }

    /// The largest duration of a bucket, in microseconds.
    private static func end(of index: Int) -> UInt64 {
        let shift = max(0, index >> fineness - 1)
        return (UInt64(index - shift << fineness) + 1) << UInt64(shift) - 1
    }
}
