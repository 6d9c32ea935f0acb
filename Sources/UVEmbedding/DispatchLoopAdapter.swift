#if canImport(Dispatch)
public import AsyncUV
public import Dispatch
public import UV

/// Lets a serial dispatch queue drive a loop: a private queue, or the main queue, where the main actor's code runs
/// between the turns.
///
/// A queue is not a thread: its blocks run on changing threads, those of the main queue as well when `dispatchMain()`
/// or an async `main` serves it. So the loop moves. For each turn the thread that runs the queue takes it, and then
/// leaves it: between two turns nobody is on the loop. Code reaches a loop of the callback layer by ``withLoop(_:)``
/// on the queue and ``async(_:)`` elsewhere, an `EventLoop` as ever. A closure of the loop that runs for long holds
/// up the queue.
///
/// The adapter lives until ``detach()`` or the end of its loop, whoever refers to it.
public final class DispatchLoopAdapter: Sendable {
    /// The queue that makes the turns.
    public let queue: DispatchQueue
    private let seat: Seat
    /// Tells code on the queue from other code.
    private let key = DispatchSpecificKey<Bool>()

    /// What belongs to the queue; used in its blocks only, one at a time.
    private final class Seat: @unchecked Sendable {
        let driver: LoopDriver
        let source: any DispatchSourceRead
        let timer: any DispatchSourceTimer
        /// For when the timer is set, by the loop's clock.
        var due: Duration?
        /// Whether a block for a turn waits in the queue.
        var isQueued = false
        var isAttached = true

        init(_ driver: LoopDriver, _ queue: DispatchQueue) {
            self.driver = driver
            source = DispatchSource.makeReadSource(fileDescriptor: driver.descriptor.rawValue, queue: queue)
            timer = DispatchSource.makeTimerSource(queue: queue)
        }
    }

    /// Hands a loop over to a queue.
    ///
    /// - Parameters:
    ///   - driver: The loop's driver. Neither it nor the loop nor its handles can be used elsewhere afterwards.
    ///   - queue: A serial queue.
    /// - Throws: ``UVError`` with `.resourceBusy` when an adapter has the driver, `.badFileDescriptor` when its loop
    ///   has ended.
    public init(_ driver: sending LoopDriver, on queue: DispatchQueue) throws(UVError) {
        try driver.attach(to: "dispatch queue \(queue.label)")
        self.queue = queue
        driver.leaveMainQueue()
        driver.loop.releaseThread()
        seat = Seat(driver, queue)
        queue.setSpecific(key: key, value: true)
        seat.source.setEventHandler { self.turn() }
        seat.timer.setEventHandler {
            self.seat.due = nil
            self.turn()
        }
        seat.source.activate()
        seat.timer.schedule(deadline: .distantFuture)
        seat.timer.activate()
        queueTurn()
    }

    // MARK: Access

    /// Runs code with the loop, for code on the queue; what it has started is taken into account.
    ///
    /// - Throws: What the body throws; ``UVError`` with `.notPermitted` off the queue, `.canceled` when the loop was
    ///   detached or has ended.
    public func withLoop<Value>(_ body: (Loop) throws -> Value) throws -> Value {
        guard DispatchQueue.getSpecific(key: key) == true else {
            throw UVError(
                .notPermitted, in: "withLoop", of: "a loop that dispatch queue \(queue.label) drives: use async there")
        }
        guard seat.isAttached, !seat.driver.hasEnded else {
            throw UVError(.canceled, in: "withLoop", of: "a loop that is driven no more")
        }
        // In a closure of the loop the queue's thread has it already.
        if seat.driver.loop.isHere { return try body(seat.driver.loop) }
        guard seat.driver.loop.takeThread() else {
            throw UVError(
                .resourceBusy, in: "withLoop", of: "a loop in another thread's turn: its queue must be a serial one")
        }
        defer { leave() }
        return try body(seat.driver.loop)
    }

    /// Runs code with the loop, later, on the queue. Any thread.
    ///
    /// When the loop was detached or has ended, the body is not called.
    public func async(_ body: @escaping @Sendable (Loop) -> Void) {
        queue.async { try? self.withLoop(body) }
    }

    /// Ends the turns, on the queue, after the turn that is running. Any thread. What waits on a loop of the callback layer
    /// waits for ever then; an `EventLoop` is ended there and then, which may hold up the queue: prefer its `shutdown`.
    public func detach() {
        queue.async {
            guard self.seat.isAttached else { return }
            self.end()
            if self.seat.driver.loop.takeThread() { self.seat.driver.close() }
        }
    }

    // MARK: Turns

    private func queueTurn() {
        queue.async {
            self.seat.isQueued = false
            self.turn()
        }
    }

    private func turn() {
        guard seat.isAttached, seat.driver.loop.takeThread() else { return }
        seat.driver.turn()
        leave()
    }

    /// Gives the loop up until its next turn, and sees to that turn.
    private func leave() {
        if seat.driver.hasEnded { return end() }
        let driver = seat.driver
        let timeout = driver.timeout
        let due = timeout.map { driver.loop.now + $0 }
        driver.loop.releaseThread()
        guard let timeout, let due else { return }
        if timeout == .zero {
            // Behind what waits in the queue, so that it is not starved.
            if !seat.isQueued { queueTurn() }
            seat.isQueued = true
        } else if seat.due.map({ due < $0 }) ?? true {
            // A timer that is too early costs a turn, and saves setting it again for each operation with a timeout.
            seat.due = due
            seat.timer.schedule(
                deadline: .now() + .nanoseconds(Int(timeout / .nanoseconds(1))), leeway: .nanoseconds(0))
        }
    }

    private func end() {
        seat.isAttached = false
        seat.source.cancel()
        seat.timer.cancel()
        seat.driver.detach()
        queue.setSpecific(key: key, value: nil)
    }
}

extension EventLoop {
    /// Starts a loop that a serial dispatch queue drives: its tasks run on that queue, between the queue's own
    /// blocks. It lives until ``AsyncUV/EventLoop/shutdown(grace:)``, however many references there are.
    ///
    /// On the main queue the main actor's code runs between the turns, and no other thread is needed. See
    /// ``DispatchLoopAdapter``.
    ///
    /// - Parameter label: A name of your own, for the loop's description.
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` or `.noMemory` when the system refuses.
    public static func driven(by queue: DispatchQueue, label: String? = nil) throws(UVError) -> EventLoop {
        let driver = try EventLoopDriver(label: label, servesMainActor: false)
        let loop = driver.eventLoop
        _ = try DispatchLoopAdapter(driver, on: queue)
        return loop
    }
}
#endif
