internal import Synchronization
public import UV

extension EventLoop {
    /// Runs async code on a loop on the calling thread until the code ends, as `asyncio.run` does in Python.
    ///
    /// On the main thread it also serves the main actor and `DispatchQueue.main`. When the body has ended, what it left
    /// open on the loop is closed, tasks that still wait there get ``UVError`` with `.canceled`, and go on elsewhere. It waits
    /// for operations on files that have begun: the system has no way to stop one, should its disk hang.
    ///
    /// - Parameter servesMainActor: Whether the main actor's code runs meanwhile, if this is the main thread.
    /// - Returns: The body's value.
    /// - Throws: The body's error, or ``UVError`` when the system refuses a loop. Inside a loop it traps.
    @discardableResult
    @available(*, noasync, message: "await the code itself, or make an EventLoop() for it")
    public static func run<Value: Sendable>(
        servesMainActor: Bool = true, _ body: @escaping @Sendable (EventLoop) async throws -> Value
    ) throws -> Value {
        if Loop.current != nil { fatalError("EventLoop.run called inside a loop: a loop cannot wait for another") }
        let core = try LoopCore()
        let loop = EventLoop(LoopBound(core), LoopBound(core.jobs), core.jobInbox, thread: currentThread)
        try core.attach(to: loop)
        if servesMainActor {
            do throws(UVError) { try core.serveMainQueue() } catch {
                try core.end()
                loop.ending.finish()
                throw error
            }
        }
        let result = Promise<Value>()
        Task(executorPreference: loop) {
            do { result.fulfil(.success(try await body(loop))) } catch { result.fulfil(.failure(error)) }
            loop.stop()
        }
        try core.loop.run()
        try core.end()
        loop.ending.finish()
        if servesMainActor { result.waitServingMainQueue() }
        return try result.wait().get()
    }

    /// Starts a loop on a thread of its own. It lives until ``shutdown()``, however many references there are.
    ///
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` or `.resourceTemporarilyUnavailable` when the system refuses.
    public convenience init() throws(UVError) { try self.init(isShared: false) }

    private convenience init(isShared: Bool) throws(UVError) {
        let thread = try LoopThread()
        let made = thread.made
        self.init(
            made.core, made.jobs, made.jobInbox, thread: made.number, ownThread: thread.thread, isShared: isShared)
        thread.run(self)
    }

    /// A loop in the background for everybody, started at first use. It is never shut down.
    ///
    /// It needs a thread and four descriptors. If the system refuses them the program ends with a sentence that says so: one
    /// that may run out of them uses it early.
    public static let shared: EventLoop = {
        do { return try EventLoop(isShared: true) } catch { fatalError("EventLoop.shared cannot start: \(error)") }
    }()

    /// Ends the loop: what is under way ends with ``UVError`` `.canceled`, everything on it is closed.
    ///
    /// Returns when its own thread is gone, or ``run(servesMainActor:_:)`` has closed everything, which takes as long as an
    /// operation on a file that has begun: the system has no way to stop it. Tasks that prefer the loop go on elsewhere;
    /// operations on it throw. Again, or on ``shared``, it does nothing.
    ///
    /// - Parameter grace: How long those who are connected may go on. First the loop's ``TCPListener``s close: nobody new
    ///   comes. The loop ends as soon as everybody whom ``TCPListener/serve(maxConnections:onError:_:)`` serves on it has
    ///   been served, or else when this time is over. A handler that calls this waits for itself.
    ///
    /// Cancellation: ends the grace; it does not hurry the rest.
    public func shutdown(grace: Duration = .zero) async {
        if isShared { return }
        if grace > .zero {
            // Whether they have ended or the time is over is all the same.
            try? await withTimeout(grace, on: self) {
                try await self.perform("shutdown") { core, pending in core.servers.drain(pending) }
            }
        }
        stop()
        await ending.wait()
        ownThread?.join()
    }

    /// Makes the loop's thread leave ``UV/Loop/run(_:)``.
    private func stop() {
        if isCurrent { core.open(on: self).loop.endRun() } else { post { self.core.open(on: self).loop.endRun() } }
    }

    /// Starts a task that prefers the loop. Sugar for `Task(executorPreference: loop)`, which `Task {}` does not inherit.
    ///
    /// What the body throws is in the task's `value`. The compiler warns when nobody keeps the task, because then the error
    /// is lost: await it, give ``spawn(priority:onError:_:)`` a closure for it, or write `_ =` if it does not matter.
    public func spawn<Value: Sendable>(
        priority: TaskPriority? = nil, _ body: @escaping @Sendable () async throws -> Value
    ) -> Task<Value, any Error> {
        Task(executorPreference: self, priority: priority, operation: body)
    }

    /// Starts a task that prefers the loop and throws nothing, so that nobody has to keep it.
    @discardableResult
    public func spawn<Value: Sendable>(
        priority: TaskPriority? = nil, _ body: @escaping @Sendable () async -> Value
    ) -> Task<Value, any Error> {
        Task(executorPreference: self, priority: priority, operation: body)
    }

    /// Starts a task that prefers the loop and that nobody has to wait for.
    ///
    /// - Parameter onError: Gets what the body throws, on the loop, `CancellationError` as well.
    @discardableResult
    public func spawn(
        priority: TaskPriority? = nil, onError: @escaping @Sendable (any Error) -> Void,
        _ body: @escaping @Sendable () async throws -> Void
    ) -> Task<Void, Never> {
        Task(executorPreference: self, priority: priority) { do { try await body() } catch { onError(error) } }
    }
}

/// Tells that a loop has ended.
final class LoopEnding: Sendable {
    private struct State {
        var isOver = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
    }

    func finish() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
