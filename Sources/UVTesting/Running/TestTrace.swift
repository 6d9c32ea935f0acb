internal import AsyncUV
internal import DequeModule
internal import Synchronization

/// What has happened in a run, in order: all of it as a number, the end of it as text.
final class TestTrace: Sendable {
    /// What a line of the trace says.
    enum Event: Sendable {
        /// A piece of a task ran, so many waited, and this one of them was chosen.
        case job(Int, of: Int)
        /// Something was due.
        case time
        /// Anything else: what, to whom, how much.
        case other(String, String, Int)
    }

    private struct State {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var last: Deque<(time: Duration, event: Event)> = []

        mutating func mix(_ number: UInt64) {
            // FNV-1a with whole words.
            hash = (hash ^ number) &* 0x0000_0100_0000_01B3
            hash ^= hash >> 29
        }
    }

    /// How much of it is kept as text.
    private static let most = 1_000

    private let state = Mutex(State())
    private let clock: TwinClock
    private let prints: Bool

    init(_ clock: TwinClock, prints: Bool) {
        self.clock = clock
        self.prints = prints
    }

    func note(_ event: Event) {
        let time = clock.time - TwinClock.start
        state.withLock { state in
            state.mix(UInt64(bitPattern: time.components.seconds))
            state.mix(UInt64(bitPattern: time.components.attoseconds))
            switch event {
            case .job(let index, let count):
                state.mix(1)
                state.mix(UInt64(truncatingIfNeeded: index) << 32 | UInt64(truncatingIfNeeded: count))
            case .time: state.mix(2)
            case .other(let what, let subject, let number):
                state.mix(3)
                for text in [what, subject] {
                    for byte in text.utf8 { state.mix(UInt64(byte)) }
                    state.mix(0)
                }
                state.mix(UInt64(bitPattern: Int64(number)))
            }
            if state.last.count == Self.most { state.last.removeFirst() }
            state.last.append((time, event))
        }
        if prints { Report.write(Self.line(time, event)) }
    }

    func note(_ what: String, _ subject: String, _ number: Int = 0) { note(.other(what, subject, number)) }

    var hash: UInt64 { state.withLock { $0.hash } }

    func lines(last count: Int = most) -> [String] {
        state.withLock { state in state.last.suffix(count).map { Self.line($0.time, $0.event) } }
    }

    private static func line(_ time: Duration, _ event: Event) -> String {
        switch event {
        case .job(let index, let count): "\(time): a task runs, number \(index + 1) of \(count)"
        case .time: "\(time): something is due"
        case .other(let what, let subject, let number):
            "\(time): \(what)" + (number == 0 ? "" : " \(number)") + (subject.isEmpty ? "" : ", \(subject)")
        }
    }
}
