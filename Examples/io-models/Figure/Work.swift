import CReadiness

/// "Other work": rounds of a pseudo-random generator. All models do the same units.
struct Work: Sendable {
    private let rounds: Int

    /// Finds out how many rounds take about so long on this machine, in this build.
    init(about nanoseconds: Int64) {
        var rounds = 1000
        while true {
            let start = readiness_thread_cpu_clock()
            Self(rounds: rounds).doOne()
            let time = max(1, readiness_thread_cpu_clock() - start)
            if time >= nanoseconds / 4 {
                self.init(rounds: max(1, rounds * Int(nanoseconds) / Int(time)))
                return
            }
            rounds *= 2
        }
    }

    private init(rounds: Int) { self.rounds = rounds }

    func doOne() {
        var value: UInt64 = 88_172_645_463_325_252
        for _ in 0..<rounds {
            value ^= value << 13
            value ^= value >> 7
            value ^= value << 17
        }
        // Uses the value, so that the optimizer keeps the loop.
        precondition(value != 0)
    }
}
