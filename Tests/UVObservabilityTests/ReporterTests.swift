#if Observability && ServiceLifecycle
import AsyncUV
import Dispatch
import MetricsTestKit
import TestSupport
import Testing
import UVObservability

@Suite struct ReporterTests {
    @Test("What loops did, under Prometheus' names; each collection tells what has happened since the last one")
    func namesAndNumbers() async throws {
        let metrics = TestMetrics()
        let loop = try EventLoop(label: "main")
        try await loop.measureLag()
        let reporter = LoopMetricsReporter(of: [loop], factory: metrics)
        reporter.collect()
        let (near, far) = try await pair(on: loop)
        for round in 1...2 {
            try await near.write([UInt8](repeating: 1, count: 100))
            #expect(try await far.read(exactly: 100).count == 100)
            reporter.collect()
            let dimensions = [("loop", "main")]
            #expect(try metrics.expectCounter("uv_bytes_received_total", dimensions).totalValue == Int64(100 * round))
            #expect(try metrics.expectCounter("uv_bytes_sent_total", dimensions).totalValue == Int64(100 * round))
            #expect(try metrics.expectMeter("uv_connections_active", dimensions).lastValue == 2)
            #expect(try metrics.expectCounter("uv_connections_accepted_total", dimensions).totalValue == 1)
            #expect(try metrics.expectCounter("uv_connections_opened_total", dimensions).totalValue == 1)
        }
        await near.close()
        await far.close()
        let done = loop.metrics
        await loop.shutdown()
        reporter.collect()
        let dimensions = [("loop", "main")]
        #expect(try metrics.expectMeter("uv_connections_active", dimensions).lastValue == 0)
        #expect(try metrics.expectCounter("uv_loop_jobs_total", dimensions).totalValue >= Int64(done.jobs))
        #expect(try metrics.expectCounter("uv_loop_turns_total", dimensions).totalValue == Int64(loop.metrics.turns))
        // The counters of a histogram agree with each other and with the loop.
        let lag = try #require(loop.metrics.lag)
        #expect(try metrics.expectCounter("uv_loop_lag_seconds_count", dimensions).totalValue == Int64(lag.count))
        var before: Int64 = 0
        for limit in ["0.0001", "0.001", "0.01", "0.1", "1", "+Inf"] {
            let bucket = try metrics.expectCounter("uv_loop_lag_seconds_bucket", dimensions + [("le", limit)])
            #expect(bucket.totalValue >= before)
            before = bucket.totalValue
        }
        #expect(before == Int64(lag.count))
        for reason in ["backlog", "resources"] {
            let pauses = try metrics.expectCounter("uv_accept_pauses_total", dimensions + [("reason", reason)])
            #expect(pauses.totalValue == 0)
        }
        for label in [
            "uv_pool_queue_depth", "uv_pool_threads_active", "uv_pool_wait_max_seconds", "uv_threads_abandoned",
        ] {
            #expect(try metrics.expectMeter(label).lastValue != nil)
        }
    }

    @Test func loopsWithTheSameLabelOrNone() async throws {
        let metrics = TestMetrics()
        let loops = try [EventLoop(label: "web"), EventLoop(label: "web"), EventLoop()]
        LoopMetricsReporter(of: loops, factory: metrics).collect()
        for name in ["web", "web 2", "3"] {
            #expect(try metrics.expectMeter("uv_loop_timers", [("loop", name)]).lastValue == 0)
        }
        for loop in loops { await loop.shutdown() }
    }

    @Test("run collects also while a loop is stuck, and once more when it is cancelled")
    func run() async throws {
        let metrics = TestMetrics()
        let (stuck, other) = (try EventLoop(label: "stuck"), try EventLoop(label: "other"))
        let (blocked, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let blocking = stuck.spawn { () -> Void in block(blocked, go) }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                blocked.wait()
                continuation.resume()
            }
        }
        let reporter = LoopMetricsReporter(of: [stuck, other], every: .milliseconds(100), factory: metrics)
        let running = Task { await reporter.run() }
        let waiting = try metrics.expectMeter("uv_loop_foreign_jobs_waiting", [("loop", "stuck")])
        while waiting.lastValue != 1 { try await Task.sleep(for: .milliseconds(1)) }
        go.signal()
        _ = await blocking.result
        while stuck.metrics.lag == nil || other.metrics.lag == nil { try await Task.sleep(for: .milliseconds(1)) }
        running.cancel()
        await running.value
        let jobs = try metrics.expectCounter("uv_loop_jobs_total", [("loop", "stuck")]).totalValue
        #expect(jobs > 0)
        await stuck.shutdown()
        await other.shutdown()
    }

    private func pair(on loop: EventLoop) async throws -> (TCPConnection, TCPConnection) {
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        let near = try await TCPConnection.connect(to: listener.localAddress, on: loop)
        let far = try #require(try await listener.accept())
        await listener.close()
        return (near, far)
    }
}

private func block(_ begun: DispatchSemaphore, _ go: DispatchSemaphore) {
    begun.signal()
    go.wait()
}
#endif
