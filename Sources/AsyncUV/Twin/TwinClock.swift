internal import CPlatform
internal import Synchronization

/// The time of a loop that a test runs: it stands still while code runs, and jumps while all of it waits.
package final class TwinClock: Sendable {
    /// A day, so that a program may count back from the present.
    package static let start = Duration.seconds(86_400)

    private let nanoseconds = Atomic<Int64>(start.wholeNanoseconds)
    private let holds = Atomic<Int>(0)
    private let foreign = Atomic<Int>(0)

    package init() {}

    /// The present, from any thread.
    package var time: Duration { .nanoseconds(nanoseconds.load(ordering: .acquiring)) }

    /// Whether something wants the time to stand still although all of the loop waits.
    package var isHeld: Bool { holds.load(ordering: .acquiring) > 0 }

    package func hold() { holds.add(1, ordering: .acquiringAndReleasing) }

    package func letGo() { holds.subtract(1, ordering: .acquiringAndReleasing) }

    /// How many jobs and calls have come to the loop from other threads.
    package var foreignJobs: Int { foreign.load(ordering: .relaxed) }

    // MARK: On the loop's thread

    func noteForeignJobs(_ count: Int) { foreign.store(count, ordering: .relaxed) }

    /// Makes this the clock of the calling thread, until ``leave()``.
    func enter() { cplatform_set_test_time(nanoseconds.load(ordering: .relaxed)) }

    func leave() { cplatform_set_test_time(0) }

    func jump(to time: Int64) {
        let time = max(time, nanoseconds.load(ordering: .relaxed))
        nanoseconds.store(time, ordering: .releasing)
        cplatform_set_test_time(time)
    }
}
