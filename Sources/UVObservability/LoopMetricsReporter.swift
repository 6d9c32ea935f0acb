#if Observability
public import AsyncUV
public import CoreMetrics
internal import Synchronization

/// Tells swift-metrics what loops do, under the names that Prometheus' users expect: `uv_loop_turns_total`, `uv_bytes_received_total`.
///
/// Each loop's metrics have the dimension `loop`, its label. The metrics of the process, such as those of the pool, have none. Which they
/// are: docs/design/observability.md. Two reporters of one loop would count twice.
///
/// ```swift
/// let reporter = LoopMetricsReporter(of: [loop])
/// async let _ = reporter.run()
/// ```
public final class LoopMetricsReporter: Sendable {
    private struct State: ~Copyable {
        let loops: [LoopReport]
        var pool: PoolReport
    }

    private let loops: [EventLoop]
    private let interval: Duration
    private let state: Mutex<State>

    /// Makes a reporter; ``run()`` begins to report.
    ///
    /// - Parameter loops: Loops without a label are called by their place here: `1`, `2`. Of loops with the same label, all but the
    ///   first get a number, too.
    /// - Parameter interval: How often ``run()`` collects. Less than ten times a second is as often as anybody looks.
    /// - Parameter factory: Where the metrics go: by default to the process's.
    public init(
        of loops: [EventLoop], every interval: Duration = .seconds(5),
        factory: any MetricsFactory = MetricsSystem.factory
    ) {
        self.loops = loops
        self.interval = max(interval, .milliseconds(100))
        var names: Set<String> = []
        var reports: [LoopReport] = []
        for (index, loop) in loops.enumerated() {
            let label = loop.label ?? "\(index + 1)"
            var (name, number) = (label, 1)
            while !names.insert(name).inserted {
                number += 1
                name = "\(label) \(number)"
            }
            reports.append(LoopReport(of: loop, named: name, factory))
        }
        state = Mutex(State(loops: reports, pool: PoolReport(factory)))
    }

    /// Tells what has happened since the last time. On any thread; it does not wait for a loop. For backends that are asked
    /// (Prometheus), right before they answer.
    public func collect() {
        state.withLock { state in
            for loop in state.loops { loop.collect() }
            state.pool.collect()
        }
    }

    /// Measures the loops' lag (see `EventLoop.measureLag`) and collects at each interval, until the task is cancelled; then once more.
    ///
    /// It sleeps on no loop: of a loop that is stuck the numbers still come, and say so.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for loop in loops { group.addTask { try? await loop.measureLag() } }
            while !Task.isCancelled {
                collect()
                try? await Task.sleep(for: interval)
            }
            collect()
            // The task of a loop that is stuck waits for it.
            group.cancelAll()
        }
    }
}
#else
/// Needs the trait `Observability` of the package.
@available(*, unavailable, message: "it needs a trait: .package(…, traits: [.defaults, \"Observability\"])")
public enum LoopMetricsReporter {}
#endif
