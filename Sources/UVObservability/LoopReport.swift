#if Observability
internal import AsyncUV
internal import CoreMetrics

/// The metrics of one loop in swift-metrics.
final class LoopReport {
    private let loop: EventLoop
    private let turns: RisingCount
    private let jobs: RisingCount
    private let foreignJobs: RisingCount
    private let waitingForeignJobs: Meter
    private let wakeUps: RisingCount
    private let idle: RisingTime
    private let lag: LagReport
    private let timers: Meter
    private let connections: Meter
    private let accepted: RisingCount
    private let opened: RisingCount
    private let received: RisingCount
    private let sent: RisingCount
    private let fullPauses: RisingCount
    private let failurePauses: RisingCount
    private let abandoned: RisingCount

    init(of loop: EventLoop, named name: String, _ factory: any MetricsFactory) {
        let dimensions = [("loop", name)]
        func count(_ label: String, _ more: (String, String)...) -> RisingCount {
            RisingCount(label, dimensions + more, factory)
        }
        func meter(_ label: String) -> Meter { Meter(label: label, dimensions: dimensions, factory: factory) }
        self.loop = loop
        turns = count("uv_loop_turns_total")
        jobs = count("uv_loop_jobs_total")
        foreignJobs = count("uv_loop_foreign_jobs_total")
        waitingForeignJobs = meter("uv_loop_foreign_jobs_waiting")
        wakeUps = count("uv_loop_wakeups_total")
        idle = RisingTime("uv_loop_idle_seconds_total", dimensions, factory)
        lag = LagReport(dimensions, factory)
        timers = meter("uv_loop_timers")
        connections = meter("uv_connections_active")
        accepted = count("uv_connections_accepted_total")
        opened = count("uv_connections_opened_total")
        received = count("uv_bytes_received_total")
        sent = count("uv_bytes_sent_total")
        fullPauses = count("uv_accept_pauses_total", ("reason", "backlog"))
        failurePauses = count("uv_accept_pauses_total", ("reason", "resources"))
        abandoned = count("uv_operations_abandoned_total")
    }

    func collect() {
        let metrics = loop.metrics
        turns.follow(metrics.turns)
        jobs.follow(metrics.jobs)
        foreignJobs.follow(metrics.foreignJobs)
        waitingForeignJobs.set(metrics.waitingForeignJobs)
        wakeUps.follow(metrics.wakeUps)
        idle.follow(metrics.idleTime)
        if let histogram = metrics.lag { lag.follow(histogram) }
        timers.set(metrics.timers)
        connections.set(metrics.connections)
        accepted.follow(metrics.acceptedConnections)
        opened.follow(metrics.openedConnections)
        received.follow(metrics.bytesReceived)
        sent.follow(metrics.bytesSent)
        fullPauses.follow(metrics.acceptPauses)
        failurePauses.follow(metrics.acceptFailures)
        abandoned.follow(metrics.abandonedOperations)
    }
}

/// A histogram as Prometheus keeps it: counters of what was not longer than a limit, `le`.
///
/// swift-metrics takes the values of a histogram one by one, which for each turn of a loop would cost more than the turn.
final class LagReport {
    /// In seconds.
    private static let limits: [(text: String, limit: Duration)] = [
        ("0.0001", .microseconds(100)), ("0.00025", .microseconds(250)), ("0.0005", .microseconds(500)),
        ("0.001", .milliseconds(1)), ("0.0025", .microseconds(2_500)), ("0.005", .milliseconds(5)),
        ("0.01", .milliseconds(10)), ("0.025", .milliseconds(25)), ("0.05", .milliseconds(50)),
        ("0.1", .milliseconds(100)), ("0.25", .milliseconds(250)), ("0.5", .milliseconds(500)), ("1", .seconds(1)),
        ("2.5", .milliseconds(2_500)), ("10", .seconds(10)),
    ]

    private let buckets: [RisingCount]
    private let all: RisingCount
    private let count: RisingCount
    private let sum: RisingTime
    private let longest: Meter
    private var last = LagHistogram()

    init(_ dimensions: [(String, String)], _ factory: any MetricsFactory) {
        func bucket(_ limit: String) -> RisingCount {
            RisingCount("uv_loop_lag_seconds_bucket", dimensions + [("le", limit)], factory)
        }
        buckets = Self.limits.map { bucket($0.text) }
        all = bucket("+Inf")
        count = RisingCount("uv_loop_lag_seconds_count", dimensions, factory)
        sum = RisingTime("uv_loop_lag_seconds_sum", dimensions, factory)
        longest = Meter(label: "uv_loop_lag_max_seconds", dimensions: dimensions, factory: factory)
    }

    func follow(_ histogram: LagHistogram) {
        for (bucket, (_, limit)) in zip(buckets, Self.limits) { bucket.follow(histogram.count(upTo: limit)) }
        all.follow(histogram.count)
        count.follow(histogram.count)
        sum.follow(histogram.total)
        longest.set(histogram.since(last).longest / .seconds(1))
        last = histogram
    }
}
#endif
