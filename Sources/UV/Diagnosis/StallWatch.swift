internal import CPlatform
internal import Synchronization

/// What the watchdog looks at of one loop: the loop stores a number after each callback, and that is all that it does.
///
/// A loop whose number stands still is in a callback, or waits for events. The system tells which: see
/// `cplatform_waits_for_events`. So a callback costs nothing when it begins, and a loop that waits costs nothing at all.
package final class StallWatch: Sendable {
    /// How long a callback or job may take.
    package let limit: Duration
    /// The thread that runs the loop: a queue that drives one has many.
    private let thread = Atomic<UInt>(0)
    private let backend: CInt
    /// How many callbacks have ended. The loop's thread alone writes it.
    private let ended = Atomic<UInt64>(0)
    private let isRunning = Atomic<Bool>(false)
    /// What the watchdog knows; its thread's own.
    private let state = Mutex(State())

    private struct State {
        var ended: UInt64 = 0
        var isBusy = false
        /// When the callback that runs was seen for the first time.
        var since = Duration.zero
        /// How long it may take until the next report.
        var nextReport = Duration.zero
        var hasReported = false
    }

    /// On the loop's thread.
    init(_ backend: CInt, longerThan limit: Duration) {
        self.backend = backend
        self.limit = limit
        cplatform_prepare_captures()
        StallWatchdog.add(self)
    }

    func end() { StallWatchdog.remove(self) }

    func runBegins() {
        callbackEnded()
        let thread = cplatform_thread()
        if thread != self.thread.load(ordering: .relaxed) {
            cplatform_allow_captures()
            self.thread.store(thread, ordering: .relaxed)
        }
        isRunning.store(true, ordering: .releasing)
    }

    func runEnds() { isRunning.store(false, ordering: .relaxed) }

    /// A callback or job has ended.
    @inline(__always)
    package func callbackEnded() { ended.store(ended.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }

    // MARK: On the watchdog's thread

    /// How often the watchdog has to look.
    var interval: Duration { limit / 4 }

    /// What the watchdog has seen.
    enum Finding {
        case stall(Duration, limit: Duration, Capture?)
        case end(Duration)
    }

    func look() -> Finding? {
        let ended = ended.load(ordering: .relaxed)
        let isRunning = isRunning.load(ordering: .acquiring)
        let thread = thread.load(ordering: .relaxed)
        let isBusy = isRunning && cplatform_waits_for_events(thread, backend) == 0
        let now = Loop.hrtime
        return state.withLock { (state: inout State) -> Finding? in
            if state.isBusy, isBusy, ended == state.ended {
                let time = now - state.since
                if time < state.nextReport { return nil }
                state.nextReport = time * 2
                state.hasReported = true
                return .stall(time, limit: limit, Capture.take(thread))
            }
            let last = state.hasReported ? now - state.since : nil
            state = State(ended: ended, isBusy: isBusy, since: now, nextReport: limit)
            return last.map { .end($0) }
        }
    }
}

/// What a thread was doing at a moment.
package struct Capture: CustomStringConvertible {
    /// Where the thread was.
    package let trail: Trail
    /// Where its task's callers go on; `nil` outside of tasks.
    package let taskTrail: Trail?
    package let task: String?

    /// Asks a thread that lives. On one thread at a time; `nil` when it does not answer.
    ///
    /// It is asked by a signal. A system call that it is blocked in goes on, but for those that never do, such as `sleep`: they end
    /// early, with `EINTR`.
    package static func take(_ thread: UInt) -> Self? {
        turn.withLock { _ in
            cplatform_prepare_captures()
            var raw = cplatform_capture_t()
            guard unsafe cplatform_capture(thread, &raw, 500) != 0 else { return nil }
            var frames = words(&raw.frames, Int(raw.count))
            // The handler's own frames.
            if let first = frames.firstIndex(of: raw.interrupted) {
                frames.removeFirst(first)
            } else if raw.interrupted != 0 {
                frames.insert(raw.interrupted, at: 0)
            }
            // Not a return address: where it is looked up, one is subtracted.
            if !frames.isEmpty, raw.interrupted != 0 { frames[0] += 1 }
            let taskFrames = raw.task_count < 0 ? nil : words(&raw.task_frames, Int(raw.task_count))
            let name = unsafe withUnsafeBytes(of: &raw.task_name) { unsafe Array($0).prefix { $0 != 0 } }
            return Self(
                trail: Trail(frames), taskTrail: taskFrames.map { Trail($0) },
                task: name.isEmpty ? nil : String(decoding: name, as: UTF8.self))
        }
    }

    private static let turn = Mutex(())

    private static func words<Tuple>(_ tuple: inout Tuple, _ count: Int) -> [UInt] {
        unsafe withUnsafeBytes(of: &tuple) { unsafe Array($0.bindMemory(to: UInt.self).prefix(count)) }
    }

    package var description: String {
        var lines = trail.allLines.prefix(Self.mostLines).map { "  \($0)" }
        if let taskTrail {
            let name = task.map { " \"\($0)\"" } ?? ""
            let callers = taskTrail.lines
            lines.append(callers.isEmpty ? "  in a task\(name)" : "  in a task\(name) that was waiting before in")
            lines += callers.prefix(Self.mostLines).map { "    \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    private static let mostLines = 32
}
