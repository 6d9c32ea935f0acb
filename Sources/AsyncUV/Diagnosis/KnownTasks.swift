internal import Synchronization
internal import UV

/// Tasks of a loop that reports tell of wherever they wait: the body of `EventLoop.run`, and with tracing on those of `spawn`.
final class KnownTasks: Sendable {
    struct Known {
        let kind: String
        let origin: Origin?
        /// The number of the task, once it has begun.
        var task: UInt
    }

    private struct State {
        var all: [Int: Known] = [:]
        var last = 0
    }

    private let state = Mutex(State())

    /// Adds the calling task.
    func add(_ kind: String) -> Int { add(Known(kind: kind, origin: nil, task: RuntimeShortcuts.currentTask)) }

    /// Adds a task that the caller is about to start, if that is traced.
    @inline(__always)
    func addIfTracing(_ kind: String) -> Int? {
        Tracing.isOn ? add(Known(kind: kind, origin: .here(), task: 0)) : nil
    }

    private func add(_ task: Known) -> Int {
        state.withLock { state in
            state.last += 1
            state.all[state.last] = task
            return state.last
        }
    }

    /// Runs the body of a task that was added.
    func run<Value>(_ number: Int, _ body: () async throws -> Value) async rethrows -> Value {
        state.withLock { $0.all[number]?.task = RuntimeShortcuts.currentTask }
        defer { remove(number) }
        return try await body()
    }

    func remove(_ number: Int) { state.withLock { _ = $0.all.removeValue(forKey: number) } }

    /// What is known of each, under a lock that keeps the tasks from ending: their frames may be read.
    ///
    /// - Parameter except: The task that asks.
    func entries(except: UInt) -> [AliveReport.Entry] {
        state.withLock { state in
            state.all.sorted { $0.key < $1.key }.map(\.value).filter { $0.task != except || except == 0 }.map { known in
                var entry = AliveReport.Entry(known.kind, .waits)
                entry.waitsIn = Trail(known.task == 0 ? [] : RuntimeShortcuts.frames(of: known.task))
                entry.task = known.origin?.task
                entry.madeBy = known.origin?.trail ?? .none
                if known.task == 0 { entry.detail = known.origin == nil ? nil : "not begun" }
                return entry
            }
        }
    }
}
