#if Observability
internal import AsyncUV
internal import CoreMetrics

/// What the loops of the process share, in swift-metrics.
final class PoolReport {
    private let queued: Meter
    private let running: Meter
    private let finished: RisingCount
    private let wait: RisingTime
    private let longestWait: Meter
    private let abandoned: Meter

    init(_ factory: any MetricsFactory) {
        func meter(_ label: String) -> Meter { Meter(label: label, factory: factory) }
        queued = meter("uv_pool_queue_depth")
        running = meter("uv_pool_threads_active")
        finished = RisingCount("uv_pool_requests_total", [], factory)
        wait = RisingTime("uv_pool_wait_seconds_total", [], factory)
        longestWait = meter("uv_pool_wait_max_seconds")
        abandoned = meter("uv_threads_abandoned")
    }

    func collect() {
        let pool = ThreadPool.statistics
        queued.set(pool.queued)
        running.set(pool.running)
        finished.follow(pool.finished)
        wait.follow(pool.totalWait)
        longestWait.set(pool.longestWait / .seconds(1))
        abandoned.set(pool.abandoned + EventLoop.abandonedCalls)
    }
}
#endif
