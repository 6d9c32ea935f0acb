internal import Synchronization
internal import UV

extension EventLoop {
    /// What a run of a test has come to: the body's result, `nil` when the body has not ended because nothing could happen any more.
    package typealias TwinResult<Value: Sendable> = (result: Result<Value, any Error>?, end: LoopTwin.End)

    /// Runs async code on a loop on the calling thread, whose jobs and time go as a test wants. Otherwise as
    /// ``run(label:servesMainActor:_:)``, without the main actor.
    @available(*, noasync, message: "it blocks the thread until the code ends")
    package static func run<Value: Sendable>(
        _ twin: LoopTwin, _ body: @escaping @Sendable (EventLoop) async throws -> Value
    ) throws(UVError) -> TwinResult<Value> {
        if Loop.current != nil { fatalError("a test's loop was run inside a loop: a loop cannot wait for another") }
        let (core, loop) = try make(twin)
        let result = Promise<Value>()
        let task = Task(executorPreference: loop) {
            do { result.fulfil(.success(try await body(loop))) } catch { result.fulfil(.failure(error)) }
            loop.stop()
        }
        let end = try loop.finish(core, twin) { task.cancel() }
        guard case .stopped = end else { return (nil, end) }
        return (result.wait(), end)
    }

    /// Runs async code on a loop with a thread of its own. Otherwise as the other one.
    ///
    /// - Parameter makeTwin: Called on the loop's thread.
    ///
    /// Cancellation: cancels the body.
    package static func run<Value: Sendable>(
        making makeTwin: @escaping @Sendable () -> LoopTwin,
        _ body: @escaping @Sendable (EventLoop) async throws -> Value
    ) async throws(UVError) -> TwinResult<Value> {
        let (begins, ends) = (Promise<@Sendable () -> Void>(), Promise<LoopTwin.End>())
        let made = Lock<Result<EventLoop, UVError>?>(nil)
        await withCheckedContinuation { continuation in
            let finish: @Sendable (Result<EventLoop, UVError>) -> Void = { result in
                made.withLock { $0 = result }
                continuation.resume()
            }
            do throws(UVError) {
                try SystemThread.detach {
                    let (twin, core, loop): (LoopTwin, LoopCore, EventLoop)
                    do throws(UVError) {
                        twin = makeTwin()
                        twin.begun = 1
                        (core, loop) = try make(twin)
                    } catch { return finish(.failure(error)) }
                    finish(.success(loop))
                    do {
                        let cancel = try begins.wait().get()
                        ends.fulfil(.success(try loop.finish(core, twin, cancel)))
                    } catch { fatalError("a test's loop broke: \(error)") }
                }
            } catch { finish(.failure(error)) }
        }
        guard let loop = try made.withLock({ $0 })?.get() else { fatalError("a test's loop was not made") }
        // Here, because the task takes the caller's task-local values along.
        let task = Task(executorPreference: loop) {
            defer { loop.stop() }
            return try await body(loop)
        }
        begins.fulfil(.success { task.cancel() })
        await withTaskCancellationHandler {
            await loop.ending.wait()
        } onCancel: {
            task.cancel()
        }
        guard case .success(let end) = ends.wait() else { fatalError("a test's loop has ended without a word") }
        guard case .stopped = end else { return (nil, end) }
        return (await task.result, end)
    }

    private static func make(_ twin: LoopTwin) throws(UVError) -> (LoopCore, EventLoop) {
        let core = try LoopCore(twin)
        let loop = EventLoop(
            LoopBound(core), LoopBound(core.jobs), core.jobInbox, core.gauges, thread: currentThread, label: "test",
            twinClock: twin.clock)
        try core.attach(to: loop)
        return (core, loop)
    }

    /// Runs the loop to its end.
    ///
    /// - Parameter cancel: Cancels the body, which has not ended.
    private func finish(_ core: LoopCore, _ twin: LoopTwin, _ cancel: () -> Void) throws(UVError) -> LoopTwin.End {
        twin.clock.enter()
        defer { twin.clock.leave() }
        let end = try twin.run(core)
        if case .stopped = end {} else { cancel() }
        try core.end()
        ending.finish()
        return end
    }
}
