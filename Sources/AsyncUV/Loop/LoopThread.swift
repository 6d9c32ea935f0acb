internal import UV

/// A thread that makes a loop, waits for its ``EventLoop`` and runs it to its end.
final class LoopThread: Sendable {
    /// What the thread has made, for its ``EventLoop``.
    struct Made: Sendable {
        let core: LoopBound<LoopCore>
        let jobs: LoopBound<JobQueue>
        let jobInbox: JobInbox
        let gauges: LoopGauges
        let number: UInt
    }

    let made: Made
    let thread: SystemThread
    private let owner = Promise<EventLoop>()

    init() throws(UVError) {
        let promise = Promise<Made>()
        thread = try SystemThread { [owner] in Self.main(promise, owner) }
        switch promise.wait() {
        case .success(let made): self.made = made
        case .failure(let error):
            thread.join()
            throw error as? UVError ?? UVError(.unknown, in: "loop thread start")
        }
    }

    func run(_ loop: EventLoop) { owner.fulfil(.success(loop)) }

    private static func main(_ promise: Promise<Made>, _ owner: Promise<EventLoop>) {
        let core: LoopCore
        do throws(UVError) { core = try LoopCore() } catch { return promise.fulfil(.failure(error)) }
        promise.fulfil(
            .success(
                Made(
                    core: LoopBound(core), jobs: LoopBound(core.jobs), jobInbox: core.jobInbox,
                    gauges: core.gauges, number: EventLoop.currentThread)))
        guard case .success(let loop) = owner.wait() else { return }
        do {
            try core.attach(to: loop)
            try core.loop.run()
            try core.end()
        } catch {
            // C code has left handles behind: no reason to end the process, and no caller is there to be told.
            guard error.code == .resourceBusy else { fatalError("an event loop broke: \(error)") }
            Diagnostics.report(.error, "\(loop) has ended and leaves memory and descriptors behind: \(error)")
        }
        loop.ending.finish()
    }
}
