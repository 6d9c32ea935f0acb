/// A point in time or a length of time, in half the memory of a `Duration`: in units of 2^30 attoseconds, about a nanosecond, so
/// that a shift converts it.
struct ShortTime: Comparable {
    private let units: Int64

    /// Later than everything: 313 years.
    static let never = Self(units: .max)

    private init(units: Int64) { self.units = units }

    /// Rounds down.
    init(_ duration: Duration) { self.init(units: Int64(clamping: duration.attoseconds >> 30)) }

    /// At least the duration, also when it is added to a time that was rounded down.
    init(roundingUp duration: Duration) {
        let units = Int64(clamping: duration.attoseconds >> 30)
        self.init(units: units.addingReportingOverflow(2).overflow ? .max : units + 2)
    }

    var duration: Duration { Duration(attoseconds: Int128(units) << 30) }

    /// The sum, ``never`` when there is none.
    static func + (left: Self, right: Self) -> Self {
        let (sum, isTooLarge) = left.units.addingReportingOverflow(right.units)
        return Self(units: isTooLarge ? .max : sum)
    }

    /// A part of a length of time.
    static func / (length: Self, divisor: Int64) -> Self { Self(units: length.units / divisor) }

    static func < (left: Self, right: Self) -> Bool { left.units < right.units }
}
