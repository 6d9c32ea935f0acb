import Harness
import Measurement

/// One scenario's table.
struct LoadedComparison {
    let rounds: Rounds<LoadResult>
    let servers: [String]

    func table() -> Table {
        var table = Table([
            "server", "requests/s", "p50 µs", "p99 µs", "p99.9 µs", "core busy", "CPU µs/request", "ratio", "min–max",
        ])
        for server in servers {
            let runs = rounds.results[server]!
            func middle(_ value: (LoadResult) -> Double, _ digits: Int) -> String {
                decimal(median(runs.map(value)), digits)
            }
            let ratios = ratios(of: runs)
            table.add([
                server, middle(\.requestsPerSecond, 0), middle(\.latency.p50, 0), middle(\.latency.p99, 0),
                middle(\.latency.p999, 0), middle({ $0.serverBusy * 100 }, 0) + " %",
                middle(\.cpuMicrosecondsPerRequest, 2), decimal(median(ratios), 2),
                "\(decimal(ratios.min()!, 2))–\(decimal(ratios.max()!, 2))",
            ])
        }
        return table
    }

    /// The first server's CPU time for a request over ours, round by round: higher is better.
    private func ratios(of runs: [LoadResult]) -> [Double] {
        zip(rounds.results[servers[0]]!, runs).map {
            $0.cpuMicrosecondsPerRequest / $1.cpuMicrosecondsPerRequest
        }
    }
}
