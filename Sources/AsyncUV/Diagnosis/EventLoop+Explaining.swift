internal import CPlatform
internal import Dispatch
internal import Synchronization
public import UV

extension EventLoop {
    /// What is on the loop: the tasks that wait, with what for and in which functions, the handles and the requests. For the question
    /// why a program does not end, or what it is waiting for.
    ///
    /// ```swift
    /// print(try await loop.explainAlive())
    /// ```
    ///
    /// A task that waits is shown with its callers, because the runtime knows where each goes on; that costs nothing before somebody
    /// asks. Where connections, listeners and other objects of this layer were made is known only of those that were made while
    /// ``UV/Diagnostics/isTracing`` was on: then also where the tasks of `spawn` were made, which are shown while they wait for
    /// something that is not on the loop. Requests, such as a read in the thread pool, have no place at all.
    ///
    /// Handles of C code (``UV/Loop/withUnsafeLoop(_:)``, ``init(adopting:label:)``) are listed by libuv's name of their kind.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none.
    public func explainAlive() async throws -> AliveReport {
        let asking = RuntimeShortcuts.currentTask
        return try await withLoop { [core] _ in core.open(on: self).explain(for: asking) }
    }

    /// Reports what is on each loop whenever the process gets a signal, by default SIGUSR1: to ``UV/Diagnostics/setHandler(_:)``,
    /// or to standard error if there is no handler. A loop that does not answer within a second is stuck: the report has
    /// the backtrace of its thread.
    ///
    /// It holds for the process, and needs a thread and two descriptors from now on.
    ///
    /// - Throws: ``UVError`` with `.resourceBusy` when the signal has a handler already, `.invalidArgument` for SIGKILL and
    ///   relatives, and what the system says.
    public static func explainAlive(on signal: Signal = .user1) throws(UVError) { try AliveSignal.begin(signal) }

    /// Reports each callback and each piece of a task that keeps the loop from its other work for longer than the limit, while it
    /// does: with the backtrace of the loop's thread and the task's name and callers. See ``UV/Loop/reportStalls(longerThan:)``,
    /// which has the details. The environment's `SWIFT_UV_STALL=100ms` does the same for every loop.
    ///
    /// - Parameter limit: `nil` ends the watch.
    /// - Throws: ``UVError`` with `.invalidArgument` for less than a millisecond, `.canceled` when the loop has ended.
    public func reportStalls(longerThan limit: Duration? = .milliseconds(100)) async throws {
        try await withLoop { try $0.reportStalls(longerThan: limit) }
    }
}

extension LoopCore {
    /// - Parameter asking: The task that asks, which does not wait for anything else.
    func explain(for asking: UInt = 0) -> AliveReport {
        var entries = loop.explainAlive().entries
        for (index, handle) in loop.handles.enumerated() {
            guard let core = (handle as? StreamHandle)?.attachment as? StreamCore else { continue }
            core.describe(&entries[index])
        }
        let waits = waits.all.reversed().filter { $0.waitingTask == 0 || $0.waitingTask != asking }.map(entry)
        let known = (loop.attachment as? EventLoop)?.tasks.entries(except: asking) ?? []
        var report = AliveReport(
            (loop.attachment as? EventLoop)?.description ?? "EventLoop", runsUntilStopped: true, known + waits + entries
        )
        let ready = jobs.count
        if ready > 0 { report.notes.append(ready == 1 ? "1 job is ready to run" : "\(ready) jobs are ready to run") }
        return report
    }

    private func entry(of wait: WaitLink) -> AliveReport.Entry {
        var entry = AliveReport.Entry("\(wait.operation)", .waits)
        entry.age = loop.milliseconds(since: wait.began)
        entry.waitsIn = Trail(RuntimeShortcuts.frames(of: wait.waitingTask))
        if wait.isQueued {
            let left = max(.zero, wait.deadline - Loop.hrtime)
            entry.detail = wait is Sleep ? "\(left.inWords) left" : "ends in \(left.inWords)"
        }
        return entry
    }

    /// Reports what the loop's end waits for, when it takes long. Files that threads are at, mostly.
    func reportIfSlow(_ owner: EventLoop) throws(UVError) -> TimerHandle {
        let timer = try TimerHandle(on: loop)
        timer.isInternal = true
        timer.keepsLoopAlive = false
        let patience = Diagnostics.slowShutdown
        try timer.start(after: patience, every: patience) { [unowned self] timer in
            Diagnostics.report(.warning, "the end of \(owner) takes long: \(explain())")
            // Once more after twice the time, and so on.
            if let interval = timer.interval { try? timer.setInterval(interval * 2) }
        }
        return timer
    }
}

extension StreamCore {
    fileprivate func describe(_ entry: inout AliveReport.Entry) {
        let task = readingTask
        if entry.standing == .isClosing { return }
        if isReaderWaiting {
            entry.detail = "a task waits to read"
            entry.waitsIn = Trail(RuntimeShortcuts.frames(of: task))
        } else {
            entry.detail = "nobody reads"
        }
        if let idle = idleTimeout { entry.detail?.append(", idle timeout \(idle.inWords)") }
    }
}

/// The loops of the process that have begun and not ended.
enum LivingLoops {
    private static let loops = Mutex<[ObjectIdentifier: EventLoop]>([:])

    static var all: [EventLoop] { loops.withLock { Array($0.values) } }

    static func add(_ loop: EventLoop) { loops.withLock { $0[ObjectIdentifier(loop)] = loop } }

    static func remove(_ loop: EventLoop) { loops.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(loop)) } }
}

/// Answers a signal with reports, on a thread of its own: a loop that is stuck cannot.
private enum AliveSignal {
    private static let isRunning = Mutex(false)
    private static let patience = DispatchTimeInterval.seconds(1)

    static func begin(_ signal: Signal) throws(UVError) {
        let error = cplatform_request_on(signal.rawValue)
        if error != 0 { throw UVError(.init(rawValue: -error), in: "explainAlive", of: "\(signal)") }
        let starts = isRunning.withLock { isRunning in
            defer { isRunning = true }
            return !isRunning
        }
        guard starts else { return }
        do throws(UVError) { try SystemThread.detach { run() } } catch {
            isRunning.withLock { $0 = false }
            throw error
        }
    }

    private static func run() {
        while cplatform_wait_for_request() != 0 {
            let loops = LivingLoops.all
            if loops.isEmpty { Diagnostics.sayAsAsked(.warning, "there is no EventLoop") }
            for loop in loops { Diagnostics.sayAsAsked(.warning, report(on: loop)) }
        }
    }

    private static func report(on loop: EventLoop) -> String {
        let answer = Lock<AliveReport?>(nil)
        let arrived = DispatchSemaphore(value: 0)
        let isPosted = loop.post {
            let report = loop.core.open(on: loop).explain()
            answer.withLock { $0 = report }
            arrived.signal()
        }
        guard isPosted else { return "\(loop) has ended" }
        if arrived.wait(timeout: .now() + patience) == .success, let report = answer.withLock({ $0 }) {
            return "\(report)"
        }
        return loop.whereItIs("does not answer")
    }
}

extension EventLoop {
    /// A sentence on a loop that is stuck, and where its thread is.
    fileprivate func whereItIs(_ what: String) -> String {
        let thread = ending.thread
        if thread == 0 { return "\(self) \(what), and nobody runs it at the moment" }
        guard let capture = Capture.take(thread) else {
            return "\(self) \(what), and its thread does not say where it is"
        }
        return "\(self) \(what); its thread is at:\n\(capture)"
    }
}

/// Reports where a loop is that was told to end and has not begun to, because a callback or job of it does not return. On a thread of
/// its own, and only if somebody listens.
final class SlowShutdown: Sendable {
    private let isOver = DispatchSemaphore(value: 0)

    init?(of loop: EventLoop) {
        guard Diagnostics.isListening else { return nil }
        let isOver = isOver
        let patience = Diagnostics.slowShutdown
        let milliseconds =
            Int(clamping: patience.components.seconds * 1_000)
            + Int(patience.components.attoseconds / 1_000_000_000_000_000)
        do {
            try SystemThread.detach {
                guard isOver.wait(timeout: .now() + .milliseconds(milliseconds)) == .timedOut, !loop.ending.hasBegun
                else { return }
                Diagnostics.report(.warning, loop.whereItIs("was told to shut down and has not begun to"))
            }
        } catch { return nil }
    }

    func end() { isOver.signal() }
}
