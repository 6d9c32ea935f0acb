internal import UV

/// Lets so many tasks in at a time, in the order in which they came.
///
/// ```swift
/// let uploads = AsyncSemaphore(permits: 4, on: loop)
/// try await uploads.withPermit { try await upload(file) }
/// ```
///
/// It lives on a loop: tasks of the loop come in and go out without a lock or a hop, tasks elsewhere with a hop to the loop and back.
/// A task that has a permit and asks for another waits for itself when there are none left.
///
/// When the loop ends, calls throw ``UVError`` with `.canceled`.
public final class AsyncSemaphore: Sendable {
    /// The loop that the semaphore lives on.
    public let loop: EventLoop
    /// The name that its maker has given it, for errors.
    public let label: String?
    private let core: LoopBound<SemaphoreCore>

    /// Makes a semaphore that lives on a loop.
    ///
    /// - Parameter permits: How many tasks may be in at a time. With 0, or less, all wait until ``release()`` was called often enough.
    public init(permits: Int, label: String? = nil, on loop: EventLoop = .current ?? .shared) {
        self.loop = loop
        self.label = label
        core = LoopBound(SemaphoreCore(permits))
    }

    /// Takes a permit; waits for one.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever. A permit that is there is taken, whatever the timeout.
    /// - Throws: ``UVError`` with `.timedOut`; `.canceled` when the loop has ended.
    ///
    /// Cancellation, and any error: the task has no permit. A task that was given one before it was cancelled has it, and returns.
    public func acquire(timeout: Duration? = nil) async throws {
        guard loop.isCurrent else { return try await loop.hop { try await self.acquire(timeout: timeout) } }
        try checkCancellation()
        if core.lend(on: loop, { $0.enter() }) {
            if loop.charge(Cost.memory) { await loop.giveWay() }
            return
        }
        try await loop.perform("acquire", of: self.description, within: timeout) { _, wait in
            self.core.open(on: self.loop).enter(wait)
        }
    }

    /// Takes a permit if one is left.
    ///
    /// - Returns: Whether the task has a permit now.
    /// - Throws: `CancellationError`; ``UVError`` with `.canceled` when the loop has ended.
    public func tryAcquire() async throws -> Bool {
        guard loop.isCurrent else { return try await loop.hop { try await self.tryAcquire() } }
        try checkCancellation()
        let isIn = core.open(on: loop).enter()
        if loop.charge(Cost.memory) { await loop.giveWay() }
        return isIn
    }

    /// Gives a permit back; the task that has waited longest gets it. From any thread, at once on the loop. A permit that nobody had
    /// is one more.
    public func release() {
        if loop.isCurrent { return core.open(on: loop).leave() }
        loop.post { self.core.open(on: self.loop).leave() }
    }

    /// Runs a body with a permit, and gives it back afterwards, also after an error.
    ///
    /// - Parameter timeout: How long to wait for the permit; `nil` for ever.
    /// - Throws: What the body throws, or ``acquire(timeout:)``.
    public func withPermit<Value>(
        timeout: Duration? = nil, _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        try await acquire(timeout: timeout)
        defer { release() }
        return try await body()
    }
}

extension AsyncSemaphore: CustomStringConvertible {
    /// For people: `semaphore "uploads"`.
    public var description: String { label.map { "semaphore \"\($0)\"" } ?? "a semaphore" }
}

/// The part of ``AsyncSemaphore`` that lives on its loop's thread.
///
/// Nobody waits while a permit is left, so nobody can overtake.
private final class SemaphoreCore {
    private var left: Int
    private var line = WaitLine<Void, Void>()

    init(_ permits: Int) { left = permits }

    /// - Returns: Whether there was a permit.
    func enter() -> Bool {
        if left <= 0 { return false }
        left -= 1
        return true
    }

    func enter(_ wait: Wait<Void>) {
        if enter() { return _ = wait.finish(.success(())) }
        line.append(wait, ())
        wait.onCancel = { [self, unowned wait] in line.remove(wait) }
    }

    /// Hands the permit on. Those that are owed, of a semaphore that began below zero, come first.
    func leave() {
        if left >= 0, let first = line.popFirst() { return _ = first.wait.finish(.success(())) }
        left += 1
    }
}
