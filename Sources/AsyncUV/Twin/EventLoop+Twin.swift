internal import UV

extension EventLoop {
    /// Runs async code on a loop on the calling thread, whose jobs and time go as a test wants. Otherwise as
    /// ``run(label:servesMainActor:_:)``, without the main actor.
    ///
    /// - Returns: The body's value, `nil` when it has not ended because nothing could happen any more; and how the run has ended.
    @available(*, noasync, message: "it blocks the thread until the code ends")
    package static func run<Value: Sendable>(
        _ twin: LoopTwin, _ body: @escaping @Sendable (EventLoop) async throws -> Value
    ) throws(UVError) -> (result: Result<Value, any Error>?, end: LoopTwin.End) {
        if Loop.current != nil { fatalError("a test's loop was run inside a loop: a loop cannot wait for another") }
        let core = try LoopCore(twin)
        let loop = EventLoop(
            LoopBound(core), LoopBound(core.jobs), core.jobInbox, thread: currentThread, label: "test",
            twinClock: twin.clock)
        twin.clock.enter()
        defer { twin.clock.leave() }
        try core.attach(to: loop)
        let result = Promise<Value>()
        Task(executorPreference: loop) {
            do { result.fulfil(.success(try await body(loop))) } catch { result.fulfil(.failure(error)) }
            loop.stop()
        }
        let end = try twin.run(core)
        try core.end()
        loop.ending.finish()
        guard case .stopped = end else { return (nil, end) }
        return (result.wait(), end)
    }

    /// How many jobs and calls have come from other threads. On the loop's thread only.
    package var foreignJobsSoFar: Int { core.open(on: self).foreignJobsSoFar }
}
