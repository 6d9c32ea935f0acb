import AsyncUV
import CWakeUp
import Synchronization

/// How long it takes until a sleeping loop's thread does what another thread wants, in nanoseconds.
enum WakeUps {
    /// From `uv_async_send` to the callback.
    static func ofLibuv(_ count: Int) throws -> Double {
        guard let loop = wake_up_start() else { throw Failure(description: "cannot start a loop in C") }
        defer { wake_up_stop(loop) }
        return time(count, wake: { wake_up_send(loop) }, runs: { wake_up_count(loop) })
    }

    /// From the resumption of a task of the loop until it runs.
    static func ofTasks(_ count: Int) throws -> Double {
        let loop = try EventLoop()
        let sleeper = Sleeper()
        loop.spawn {
            await sleeper.sleepAndCount()
            Task.detached { await loop.shutdown() }
        }
        while sleeper.runs == 0 {}
        defer { sleeper.stop() }
        return time(count, wake: { sleeper.wake() }, runs: { sleeper.runs })
    }

    /// What a tenth of many do not exceed, so that other programs have no say. Before each, the loop gets the time to fall
    /// asleep.
    private static func time(_ count: Int, wake: () -> Void, runs: () -> UInt64) -> Double {
        let times = (0..<count).map { _ in
            let rest = wake_up_clock() + 20_000
            while wake_up_clock() < rest {}
            let before = runs()
            let start = wake_up_clock()
            wake()
            while runs() == before {}
            return Double(wake_up_clock() - start)
        }
        return times.sorted()[count / 10]
    }
}

/// A task that another thread wakes again and again. The count hands over the continuation.
private final class Sleeper: @unchecked Sendable {
    private var continuation: UnsafeContinuation<Void, Never>?
    private let count = Atomic<UInt64>(0)
    private let isOver = Atomic(false)

    /// How often it has fallen asleep.
    var runs: UInt64 { count.load(ordering: .acquiring) }

    func sleepAndCount() async {
        while !isOver.load(ordering: .relaxed) {
            await withUnsafeContinuation {
                continuation = $0
                count.add(1, ordering: .releasing)
            }
        }
    }

    func wake() { continuation!.resume() }

    func stop() {
        isOver.store(true, ordering: .relaxed)
        wake()
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
}
