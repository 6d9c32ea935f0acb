internal import Foundation
internal import UV

/// A thread that makes a loop, waits for its ``EventLoop`` and runs it to its end.
final class LoopThread: Sendable {
    let core: LoopBound<LoopCore>
    let jobs: LoopBound<JobRing>
    let foreignJobs: ForeignJobs
    let number: UInt
    private let owner: Promise<EventLoop>

    init() throws(UVError) {
        typealias Made = (core: LoopBound<LoopCore>, jobs: LoopBound<JobRing>, foreignJobs: ForeignJobs, number: UInt)
        let made = Promise<Made>()
        let owner = Promise<EventLoop>()
        let thread = Thread {
            do {
                let core = try LoopCore()
                made.fulfil(
                    .success((LoopBound(core), LoopBound(core.jobs), core.foreignJobs, EventLoop.currentThread)))
                LoopThread.main(core, owner)
            } catch { made.fulfil(.failure(error)) }
        }
        thread.name = "swift-uv loop"
        thread.stackSize = 8 << 20
        thread.start()
        switch made.wait() {
        case .success(let made):
            core = made.core
            jobs = made.jobs
            foreignJobs = made.foreignJobs
            number = made.number
            self.owner = owner
        case .failure(let error): throw error as? UVError ?? UVError(.unknown, in: "loop thread start")
        }
    }

    func run(_ loop: EventLoop) { owner.fulfil(.success(loop)) }

    private static func main(_ core: LoopCore, _ owner: Promise<EventLoop>) {
        guard case .success(let loop) = owner.wait() else { return }
        do {
            try core.attach(to: loop)
            try core.loop.run()
            try core.end()
        } catch { fatalError("an event loop broke: \(error)") }
        loop.ending.finish()
    }
}
