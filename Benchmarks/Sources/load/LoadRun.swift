import CLoad
import Histogram
import Measurement

/// Runs the loop in C and keeps its latencies in a histogram.
struct LoadRun {
    private let options: Load

    init(_ options: Load) { self.options = options }

    func measure() throws -> LoadResult {
        // Nanoseconds up to a minute, to three digits.
        var histogram = Histogram<UInt32>(highestTrackableValue: 60_000_000_000)
        let outcome = run(recordingInto: &histogram)
        if let failure = outcome.failure { throw LoadFailure(description: String(cString: failure)) }
        guard outcome.requests > 0 else { throw LoadFailure(description: "nothing came back within the window") }
        return LoadResult(
            requests: outcome.requests, seconds: outcome.seconds, latency: .init(histogram),
            serverCPUSeconds: options.pid == nil ? nil : outcome.server_cpu_seconds)
    }

    private func run(recordingInto histogram: inout Histogram<UInt32>) -> load_result {
        options.host.withCString { host in
            var raw = load_options(
                host: host, port: options.port, connections: CInt(options.connections), size: options.size,
                pipeline: CInt(options.pipeline), together: options.together ? 1 : 0, udp: options.udp ? 1 : 0,
                rate: options.rate, warmup_seconds: options.warmup, seconds: options.seconds,
                server: options.pid ?? 0)
            return withUnsafeMutablePointer(to: &histogram) { load_run(&raw, record, $0) }
        }
    }
}

struct LoadFailure: Error, CustomStringConvertible {
    let description: String
}

extension LoadResult.Latency {
    init(_ histogram: Histogram<UInt32>) {
        func microseconds(_ percentile: Double) -> Double {
            Double(histogram.valueAtPercentile(percentile)) / 1000
        }
        self.init(
            p50: microseconds(50), p90: microseconds(90), p99: microseconds(99), p999: microseconds(99.9),
            max: Double(histogram.max) / 1000)
    }
}

private func record(_ histogram: UnsafeMutableRawPointer?, _ nanoseconds: UInt64) {
    histogram!.assumingMemoryBound(to: Histogram<UInt32>.self).pointee.record(nanoseconds)
}
