import AsyncUV
import TestSupport
import Testing

@Suite struct LagHistogramTests {
    @Test func quantilesAreWithinThreePercent() {
        var generator = SeededGenerator(seed: 7)
        var histogram = LagHistogram()
        var sorted: [Duration] = []
        for _ in 0..<20_000 {
            // From microseconds to minutes, as many in each power of ten.
            let exponent = Double.random(in: 0..<8, using: &generator)
            let duration = Duration.microseconds(Int64(exp10(exponent)))
            histogram.record(duration)
            sorted.append(duration)
        }
        sorted.sort()
        #expect(histogram.count == sorted.count && histogram.longest == sorted.last)
        #expect(histogram.total == sorted.reduce(.zero, +) && histogram.mean == histogram.total / sorted.count)
        for part in [0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1] {
            let exact = sorted[Int((part * Double(sorted.count)).rounded(.up)) - 1]
            let found = histogram.quantile(part)
            #expect(found >= exact && found <= exact * 1.04 + .microseconds(1), "\(part): \(found) for \(exact)")
        }
        for limit: Duration in [.milliseconds(1), .milliseconds(100), .seconds(10)] {
            let exact = sorted.count { $0 <= limit }
            let above = sorted.count { $0 <= limit * 1.04 }
            #expect((exact...above).contains(histogram.count(upTo: limit)))
        }
    }

    private func exp10(_ exponent: Double) -> Double {
        var value = 1.0
        for _ in 0..<Int(exponent) { value *= 10 }
        return value * (1 + 9 * (exponent - exponent.rounded(.down)))
    }

    @Test func edges() {
        var histogram = LagHistogram()
        #expect(histogram.quantile(0.5) == .zero && histogram.mean == .zero && histogram.count(upTo: .seconds(1)) == 0)
        histogram.record(.zero)
        histogram.record(.seconds(-5))
        histogram.record(.nanoseconds(1))
        #expect(
            histogram.count == 3 && histogram.count(upTo: .zero) == 2 && histogram.count(upTo: .microseconds(1)) == 3)
        #expect(histogram.count(upTo: .seconds(-1)) == 0)
        histogram.record(.seconds(1_000_000_000))
        histogram.record(.seconds(Int64.max))
        #expect(histogram.count == 5 && histogram.longest == .seconds(Int64.max))
        #expect(histogram.count(upTo: .seconds(Int64.max)) == 5)
        #expect(histogram.quantile(-1) == .zero && histogram.quantile(7) >= .seconds(4_000))
    }

    @Test func sinceAnEarlierState() {
        var histogram = LagHistogram()
        for _ in 0..<10 { histogram.record(.seconds(3)) }
        let earlier = histogram
        #expect(histogram.since(earlier).count == 0 && histogram.since(earlier).longest == .zero)
        histogram.record(.milliseconds(2))
        let since = histogram.since(earlier)
        #expect(since.count == 1 && since.total == .milliseconds(2))
        #expect((.milliseconds(2)...(.milliseconds(2.07))).contains(since.longest))
        #expect(since.quantile(0.5) == since.longest && since.count(upTo: .seconds(3)) == 1)
    }
}
