internal import UV

/// One cold operation under way: the bridge from a callback to an `await`. On the loop's thread only.
final class Pending<Value>: PendingLink {
    // The result comes by a field: a suspension of a generic type would have to make room for it on the task's stack.
    @exclusivity(unchecked) private var suspension = Suspension<Void>()
    @exclusivity(unchecked) private var result: Result<Value, any Error>?
    @exclusivity(unchecked) private var isOver = false
    /// Ends what was started, when the task is cancelled. Not called after ``finish(_:)``.
    var onCancel: (() -> Void)?

    /// Keeps the task; one whose result is there already goes on at once, unless the turn has had enough.
    fileprivate func wait(_ suspension: Suspension<Void>, on core: LoopCore) {
        if unsafe !isOver { return unsafe self.suspension = suspension }
        if core.charge(Cost.memory) { return core.jobs.append(JobQueue.Entry(placeOf: suspension)) }
        var suspension = suspension
        suspension.resume(returning: ())
    }

    fileprivate func takeResult() throws -> Value {
        guard let result = unsafe result.take() else { fatalError("\(operation) was resumed without a result") }
        return try result.get()
    }

    /// Resumes the task. A result that comes after a cancellation is dropped; false then.
    @discardableResult
    func finish(_ result: sending Result<Value, any Error>) -> Bool {
        if unsafe isOver { return false }
        unsafe isOver = true
        onCancel = nil
        unlink()
        unsafe self.result = result
        unsafe suspension.resume(returning: ())
        return true
    }

    override func give(up error: any Error) {
        if unsafe isOver { return }
        let end = onCancel.take()
        end?()
        finish(.failure(error))
    }
}

/// A link of the list of everything that waits on a loop, so that a loop that ends leaves nobody waiting.
class PendingLink {
    // The list keeps its links, each link the next; a link that is gone has left the list.
    @exclusivity(unchecked) private var next: PendingLink?
    @exclusivity(unchecked) private unowned(unsafe) var before: PendingLink?

    /// Where it waits, for ``Cancellation``.
    @exclusivity(unchecked) final unowned(unsafe) var loop: EventLoop?

    /// What is waited in: reads do not set it.
    fileprivate(set) final var operation: StaticString = "read"

    /// Ends the wait with an error.
    func give(up error: any Error) {}

    /// Joins the list behind this link, its head.
    final func insert(_ link: PendingLink) {
        unsafe link.next = unsafe next
        unsafe link.before = self
        unsafe next?.before = link
        unsafe next = link
    }

    final func unlink() {
        unsafe before?.next = unsafe next
        unsafe next?.before = unsafe before
        unsafe next = nil
        unsafe before = nil
    }

    /// Ends everything in the list behind this link, its head.
    final func giveUpAll(_ error: (StaticString) -> any Error) {
        while let link = unsafe next { link.give(up: error(link.operation)) }
    }
}

extension EventLoop {
    /// Starts an operation of the callback layer on the loop and waits for its callback.
    ///
    /// A cancelled task starts nothing; one that is cancelled while it waits ends at once with `CancellationError`. When
    /// the loop ends first it throws ``UVError`` with `.canceled`.
    @inline(__always)
    func perform<Value: Sendable>(
        _ operation: StaticString, _ begin: @Sendable (LoopCore, Pending<Value>) throws -> Void
    ) async throws -> Value {
        guard hostsCurrentTask else { return try await performElsewhere(operation, begin) }
        try checkCancellation()
        let core = core.open(on: self)
        if core.isEnding { throw ended(operation) }
        let pending = Pending<Value>()
        pending.operation = operation
        // Not withTaskCancellationHandler: it may switch executors before it calls its body, and a cancellation that the
        // loop hears of meanwhile would find nobody waiting.
        try await Suspension.wait(cancelling: pending, on: self) { suspension in
            core.pendings.insert(pending)
            do { try begin(core, pending) } catch { pending.finish(.failure(error)) }
            pending.wait(suspension, on: core)
        }
        return try pending.takeResult()
    }

    /// Apart, so that what it keeps across its suspensions is not in everybody's frame.
    @inline(never)
    private func performElsewhere<Value: Sendable>(
        _ operation: StaticString, _ begin: @Sendable (LoopCore, Pending<Value>) throws -> Void
    ) async throws -> Value {
        try await hop { try await self.perform(operation, begin) }
    }
}
