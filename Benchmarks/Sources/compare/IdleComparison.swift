import Harness
import Measurement

/// The table of what idle connections cost in memory.
struct IdleComparison {
    let rounds: Rounds<IdleResult>
    let servers: [String]

    func table() -> Table {
        var table = Table(["server", "bytes, silent", "min–max", "bytes, after 1 KiB", "min–max", "baseline KiB"])
        for server in servers {
            let runs = rounds.results[server]!
            func spread(_ value: (IdleResult) -> Double) -> [String] {
                let values = runs.map(value)
                return [decimal(median(values), 0), "\(decimal(values.min()!, 0))–\(decimal(values.max()!, 0))"]
            }
            table.add(
                [server] + spread(\.silentBytes) + spread(\.usedBytes)
                    + [decimal(median(runs.map { Double($0.baseline) / 1024 }), 0)])
        }
        return table
    }
}
