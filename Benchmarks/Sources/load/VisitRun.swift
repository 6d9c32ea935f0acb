import CLoad
import Glibc
import Histogram
import Measurement

/// Visits one after the other: connect, one message and its echo, close. What a server does for a new client counts.
struct VisitRun {
    private let options: Load

    init(_ options: Load) { self.options = options }

    func measure() throws -> LoadResult {
        _ = try visit(until: .now + .seconds(options.warmup))
        let cpu = load_cpu_seconds(options.pid ?? 0)
        let start = ContinuousClock.now
        let histogram = try visit(until: start + .seconds(options.seconds))
        return LoadResult(
            requests: histogram.totalCount, seconds: (.now - start) / .seconds(1), latency: .init(histogram),
            serverCPUSeconds: options.pid == nil ? nil : load_cpu_seconds(options.pid!) - cpu)
    }

    /// At least one visit.
    private func visit(until end: ContinuousClock.Instant) throws -> Histogram<UInt32> {
        var histogram = Histogram<UInt32>(highestTrackableValue: 60_000_000_000)
        var begin = ContinuousClock.now
        repeat {
            let connection = load_connect(options.host, options.port)
            guard connection >= 0 else { throw LoadFailure(description: "cannot connect") }
            defer { close(connection) }
            guard load_exchange(connection, options.size) == 0 else {
                throw LoadFailure(description: "an echo went wrong")
            }
            let now = ContinuousClock.now
            histogram.record(UInt64((now - begin) / .nanoseconds(1)))
            begin = now
        } while begin < end
        return histogram
    }
}
