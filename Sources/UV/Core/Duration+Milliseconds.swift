extension Duration {
    /// Whole milliseconds, rounded up; `nil` when negative or past what a clock of milliseconds holds.
    var wholeMilliseconds: UInt64? {
        let (seconds, attoseconds) = components
        guard self >= .zero else { return nil }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        let rest = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        // Half the range is left for the clock that the delay is added to.
        guard !overflow, product <= Int64.max / 2 else { return nil }
        return UInt64(product + rest)
    }
}
