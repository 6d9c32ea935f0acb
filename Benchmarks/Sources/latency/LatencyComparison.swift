import Harness
import Measurement

/// What all models showed at each number of connections.
struct LatencyComparison {
    private let models: [ServerModel]
    private var columns: [(title: String, rounds: Rounds<LoadResult>)] = []

    init(models: [ServerModel]) { self.models = models }

    mutating func add(_ rounds: Rounds<LoadResult>, _ title: String) { columns.append((title, rounds)) }

    /// A row for each model, a column for each number of connections.
    var table: Table {
        var table = Table(["model"] + columns.map(\.title))
        for model in models {
            table.add(
                [model.rawValue]
                    + columns.map { column in
                        guard let runs = column.rounds.results[model.server] else { return "–" }
                        return "\(decimal(median(runs.map(\.latency.p50)), 0)) / "
                            + decimal(median(runs.map(\.latency.p99)), 0)
                    })
        }
        return table
    }

    /// Threads with blocking IO beside epoll, both of the same round.
    var verdict: String {
        let lines = columns.compactMap { column -> String? in
            guard let threads = column.rounds.results[ServerModel.thread.server],
                let epoll = column.rounds.results[ServerModel.epollLevel.server]
            else { return nil }
            let middle = Quotient(zip(threads, epoll).map { $0.latency.p50 / $1.latency.p50 })
            let tail = Quotient(zip(threads, epoll).map { $0.latency.p99 / $1.latency.p99 })
            return "  \(column.title): p50 \(middle), p99 \(tail)"
        }
        guard !lines.isEmpty else { return "" }
        return (["Latency of a thread for each connection over that of level-triggered epoll, by connections:"] + lines)
            .joined(separator: "\n")
    }
}

/// One model's figure over another's, round by round.
private struct Quotient: CustomStringConvertible {
    private let values: [Double]

    init(_ values: [Double]) { self.values = values.sorted() }

    /// A difference counts when every round shows it.
    private var meaning: String {
        if values.last! < 1 { return "threads answer sooner" }
        if values.first! > 1 { return "epoll answers sooner" }
        return "no clear difference"
    }

    var description: String {
        "\(decimal(median(values), 2)) (\(decimal(values.first!, 2))–\(decimal(values.last!, 2)), \(meaning))"
    }
}
