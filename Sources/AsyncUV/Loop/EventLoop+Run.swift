public import UV

extension EventLoop {
    /// Runs async code on a loop on the calling thread until the code ends, as `asyncio.run` does in Python.
    ///
    /// On the main thread it also serves the main actor and `DispatchQueue.main`. When the body has ended, everything that is
    /// still open on the loop is closed; tasks that still wait there get ``UVError`` with `.canceled` and go on elsewhere. It
    /// waits for operations on files that have begun, because the system cannot stop them, even if a disk hangs.
    ///
    /// - Parameters:
    ///   - label: A name of your own, for the loop's description.
    ///   - servesMainActor: Whether the main actor's code runs meanwhile, if this is the main thread.
    /// - Returns: The body's value.
    /// - Throws: The body's error, or ``UVError`` when the system refuses a loop. Called inside of a loop it ends the process.
    @discardableResult
    @available(*, noasync, message: "await the code itself, or make an EventLoop() for it")
    public static func run<Value: Sendable>(
        label: String? = nil, servesMainActor: Bool = true,
        _ body: @escaping @Sendable (EventLoop) async throws -> Value
    ) throws -> Value {
        if Loop.isRunningHere {
            fatalError(
                """
                EventLoop.run called inside a loop: a loop cannot wait for another. Await the code itself, start it with \
                loop.spawn, or make an EventLoop() for it.
                """)
        }
        let core = try LoopCore()
        let loop = EventLoop(
            LoopBound(core), LoopBound(core.jobs), core.jobInbox, core.gauges, thread: currentThread, label: label)
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
            let number = loop.tasks.add("body of EventLoop.run")
            defer { loop.tasks.remove(number) }
            do { result.fulfil(.success(try await body(loop))) } catch { result.fulfil(.failure(error)) }
            loop.stop()
        }
        try core.loop.run()
        do throws(UVError) { try core.end() } catch {
            loop.ending.finish()
            throw error
        }
        loop.ending.finish()
        if servesMainActor { result.waitServingMainQueue() }
        return try result.wait().get()
    }

    /// Starts a loop on a thread of its own. It lives until ``shutdown(grace:)``, however many references there are.
    ///
    /// - Parameter label: A name of your own, for the loop's description.
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` or `.resourceTemporarilyUnavailable` when the system refuses.
    public convenience init(label: String? = nil) throws(UVError) { try self.init(label, isShared: false) }

    private convenience init(_ label: String?, isShared: Bool) throws(UVError) {
        let thread = try LoopThread()
        let made = thread.made
        self.init(
            made.core, made.jobs, made.jobInbox, made.gauges, thread: made.number, label: label,
            ownThread: thread.thread,
            isShared: isShared)
        thread.run(self)
    }

    /// A loop in the background for everybody, started at first use. It is never shut down. In a program whose main actor runs on a
    /// loop (the product `UVMainExecutor`) it is that one.
    ///
    /// It needs a thread and four descriptors. If the system refuses them the program ends with a sentence that says so. A
    /// program that may run out of descriptors should use it early.
    public static let shared: EventLoop = {
        if let resident { return resident }
        do { return try EventLoop("shared", isShared: true) } catch {
            fatalError("EventLoop.shared cannot start: \(error)")
        }
    }()
}
