/// A line of the table: a number of one of two programs, and what it may be at most.
struct Row {
    enum Program { case swift, python }
    enum Unit: String { case nanoseconds = "ns", bytes = "B" }
    enum Limit {
        /// So many times what another row has.
        case ratio(Double, of: String)
        case most(Double)
    }

    let title: String
    let program: Program
    /// A ``Trial``, or one of those in `Scripts/coroutines.py`.
    let trial: String
    let count: Int
    var unit = Unit.nanoseconds
    var limit: Limit?

    private init(
        _ title: String, _ trial: Trial, _ count: Int, _ unit: Unit = .nanoseconds, limit: Limit? = nil
    ) {
        (self.title, self.trial, self.count, self.unit) = (title, trial.rawValue, count, unit)
        (program, self.limit) = (.swift, limit)
    }

    private init(python title: String, _ trial: String, _ count: Int, _ unit: Unit = .nanoseconds) {
        (self.title, self.trial, self.count, self.unit) = (title, trial, count, unit)
        (program, limit) = (.python, nil)
    }

    static func all(count: Int, spawned: Int) -> [Row] {
        [
            Row("Greenlet: switch", .greenlet, count, limit: .ratio(1, of: "Python's greenlet: switch")),
            Row(python: "Python's greenlet: switch", "greenlet", count),
            Row("Generator: next", .generator, count, limit: .ratio(1.2, of: "a bare inline executor: next")),
            Row("a bare inline executor: next", .bareGenerator, count),
            Row(python: "Python's generator: next", "generator", count),
            Row(
                "Green: spawn + sleep(0) + join", .spawn, spawned,
                limit: .ratio(0.15, of: "gevent: spawn + sleep(0) + join")),
            Row(python: "gevent: spawn + sleep(0) + join", "gevent-spawn", spawned),
            Row(python: "asyncio: spawn + sleep(0) + join", "asyncio-spawn", spawned),
            Row("Green: memory of a sleeping task", .sleepers, spawned, .bytes, limit: .most(1.8 * 1024)),
            Row(python: "gevent: memory of a sleeping task", "gevent-sleepers", spawned, .bytes),
            Row(python: "asyncio: memory of a sleeping task", "asyncio-sleepers", spawned, .bytes),
            Row("Green: each of 1,000,000 that sleep and end", .million, 1_000_000),
        ]
    }
}
