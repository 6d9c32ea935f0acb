internal import DequeModule

/// Lets so many tasks in at a time. First come, first served.
///
/// It lives on a loop: tasks of the loop come in and go out without a lock or a hop, tasks elsewhere with a hop to the loop and back.
/// When the loop ends, those who wait throw ``UVError`` with `.canceled`.
public final class LoopSemaphore: Sendable {
    /// The loop that the semaphore lives on.
    public let loop: EventLoop
    private let core: LoopBound<SemaphoreCore>

    /// - Parameter count: How many at a time. With less than 1 everybody waits until ``release()`` was called often enough.
    public init(_ count: Int, on loop: EventLoop = .current ?? .shared) {
        self.loop = loop
        core = LoopBound(SemaphoreCore(count))
    }

    /// Comes in, when there is room.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever. Where there is room it comes in, whatever the timeout.
    /// - Throws: ``UVError`` with `.timedOut`.
    ///
    /// Cancellation, and any error: the task is not in.
    public func acquire(timeout: Duration? = nil) async throws {
        guard loop.isCurrent else { return try await loop.hop { try await self.acquire(timeout: timeout) } }
        try checkCancellation()
        if core.lend(on: loop, { $0.enter() }) {
            if loop.charge(Cost.memory) { await loop.giveWay() }
            return
        }
        try await loop.perform("acquire", of: "a semaphore", within: timeout) { [core, loop] _, wait in
            core.open(on: loop).enter(wait)
        }
    }

    /// Goes out. Whoever has waited longest gets the place. Not more often than in.
    public func release() {
        if loop.isCurrent { return core.open(on: loop).leave() }
        loop.post { [core, loop] in core.open(on: loop).leave() }
    }

    /// Runs a body inside, and goes out afterwards, also after an error.
    ///
    /// - Parameter timeout: For coming in.
    /// - Throws: What the body throws, or ``acquire(timeout:)``.
    public func withPermit<Value>(
        timeout: Duration? = nil, _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        try await acquire(timeout: timeout)
        defer { release() }
        return try await body()
    }
}

/// The part of ``LoopSemaphore`` that lives on its loop's thread.
final class SemaphoreCore {
    private var available: Int
    private var waiting: Deque<Wait<Void>> = []

    init(_ count: Int) { available = count }

    /// - Returns: Whether there was room.
    func enter() -> Bool {
        if available <= 0 { return false }
        available -= 1
        return true
    }

    func enter(_ wait: Wait<Void>) {
        if enter() { return _ = wait.finish(.success(())) }
        waiting.append(wait)
        wait.onCancel = { [unowned self, unowned wait] in
            if let index = waiting.firstIndex(where: { $0 === wait }) { waiting.remove(at: index) }
        }
    }

    /// Hands the place over. Below zero nobody gets one.
    func leave() {
        if available >= 0, let first = waiting.popFirst() { return _ = first.finish(.success(())) }
        available += 1
    }
}
