import Measurement

/// What a row of the table measures.
enum Row: String, CaseIterable {
    case handOver = "switch between two tasks"
    case ringHandOver = "  a switch on a bare ring"
    case yield = "Task.yield between two tasks"
    case ringYield = "  a yield on a bare ring"
    case spawn = "spawn + yield + join, in a group"
    case ringSpawn = "  spawn + yield + join on a bare ring"
    case spawnUnstructured = "spawn + yield + join, loop.spawn"
    case wakeUp = "wake-up from another thread: a task"
    case libuvWakeUp = "  uv_async_send in C"
    case sleepZero = "sleep(for: .zero)"
    case cancelledSleep = "spawn, sleep, cancel, join"
    case timeout = "withTimeout that is not needed"
    case childTask = "  one child task in a group"
    case channel = "element through a Channel, between two tasks"
    case roomyChannel = "  element through a Channel with room for 64"
    case asyncChannel = "  element through an AsyncChannel of swift-async-algorithms"
    case semaphore = "AsyncSemaphore.withPermit, with a permit left"
    case actorCall = "call of an actor on the loop, and back"
    case callFromElsewhere = "withLoop from another thread, and back"

    /// The row to be compared with, and how many times its cost this one may have.
    var limit: (of: Row, ratio: Double)? {
        switch self {
        case .handOver: (.ringHandOver, 1.15)
        case .yield: (.ringYield, 1.15)
        case .wakeUp: (.libuvWakeUp, 1.3)
        case .timeout: (.childTask, 1.6)
        default: nil
        }
    }

    /// The most nanoseconds.
    var most: Double? { self == .spawn || self == .spawnUnstructured ? 2000 : nil }
}

/// The figures of all rounds.
struct Rows {
    private var figures: [Row: [Double]] = [:]

    mutating func add(_ nanoseconds: Double, to row: Row) { figures[row, default: []].append(nanoseconds) }

    func measured(peers: [(name: String, nanoseconds: Double)]) -> [Measured] {
        Row.allCases.compactMap { row in figures[row].map { Measured(row.rawValue, "ns", $0) } }
            + peers.map { Measured($0.name, "ns", [$0.nanoseconds]) }
    }

    /// Ratios are taken round by round.
    func table(peers: [(name: String, nanoseconds: Double)]) -> Table {
        var table = Table(["what", "ns", "min–max", "ratio", "limit"])
        for row in Row.allCases {
            guard let mine = figures[row] else { continue }
            var cells = ["", row.most.map { decimal($0, 0) + " ns" } ?? ""]
            if let limit = row.limit, let others = figures[limit.of] {
                cells = [decimal(median(zip(mine, others).map { $0 / $1 }), 2), decimal(limit.ratio, 2)]
            }
            let spread = "\(decimal(mine.min()!, 0))–\(decimal(mine.max()!, 0))"
            table.add([row.rawValue, decimal(median(mine), 0), spread] + cells)
        }
        for row in peers { table.add([row.name, decimal(row.nanoseconds, 0), "", "", ""]) }
        return table
    }
}
