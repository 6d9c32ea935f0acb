#if Observability
internal import CoreMetrics

/// A counter of swift-metrics that follows a sum.
final class RisingCount {
    private let counter: Counter
    private var last = 0

    init(_ label: String, _ dimensions: [(String, String)], _ factory: any MetricsFactory) {
        counter = Counter(label: label, dimensions: dimensions, factory: factory)
    }

    func follow(_ sum: Int) {
        if sum > last { counter.increment(by: sum - last) }
        last = max(last, sum)
    }
}

/// A counter of seconds that follows a sum.
final class RisingTime {
    private let counter: FloatingPointCounter
    private var last = Duration.zero

    init(_ label: String, _ dimensions: [(String, String)], _ factory: any MetricsFactory) {
        counter = FloatingPointCounter(label: label, dimensions: dimensions, factory: factory)
    }

    func follow(_ sum: Duration) {
        if sum > last { counter.increment(by: (sum - last) / .seconds(1)) }
        last = max(last, sum)
    }
}
#endif
