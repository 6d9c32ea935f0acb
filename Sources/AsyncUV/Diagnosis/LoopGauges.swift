internal import Synchronization
internal import UV

/// What a loop counts, in numbers that its thread writes and any thread reads.
final class LoopGauges: Sendable {
    let tally: LoopTally
    let jobs = TallyCount()
    let foreignJobs = TallyCount()
    let wakeUps = TallyCount()
    let turns = TallyCount()
    /// Entries in the loop's queues of timers.
    let timers = TallyCount()
    /// Waits that ended before what they waited for.
    let abandoned = TallyCount()
    /// How often a listener left its clients to the kernel because nobody took those that it had accepted.
    let acceptPauses = TallyCount()
    /// Nanoseconds since the measurement began.
    private let idle = TallyCount()
    /// `nil` while nothing is measured.
    private let lag = Mutex<LagHistogram?>(nil)
    private let measures = Atomic(false)

    init(_ tally: LoopTally) { self.tally = tally }

    var isMeasuring: Bool { measures.load(ordering: .relaxed) }

    func beginMeasuring() {
        lag.withLock { $0 = LagHistogram() }
        measures.store(true, ordering: .releasing)
    }

    func turnEnded(busy: Duration, idle: Duration) {
        turns.add(1)
        self.idle.add(Int(clamping: idle.wholeNanoseconds))
        lag.withLock { $0?.record(busy) }
    }

    var measured: LagHistogram? { lag.withLock { $0 } }

    var idleTime: Duration { .nanoseconds(idle.value) }
}
