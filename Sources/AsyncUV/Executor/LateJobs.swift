internal import Dispatch

/// Runs jobs whose loop has ended. They cannot be dropped, because their tasks would hang for ever.
///
/// Jobs of tasks may run anywhere. Jobs of actors run one at a time, as on their loop.
final class LateJobs: Sendable {
    private let queue = DispatchQueue(label: "swift-uv.late-actor-jobs")
    private let key = DispatchSpecificKey<Bool>()

    init() { queue.setSpecific(key: key, value: true) }

    /// Whether the caller is a late job of an actor.
    var isCurrent: Bool { DispatchQueue.getSpecific(key: key) == true }

    func run(_ entry: JobQueue.Entry, _ executor: UnownedSerialExecutor) {
        switch entry {
        case .task(let job), .anywhere(let job): globalConcurrentExecutor.enqueue(job)
        case .actor(let job), .taskInActor(let job): queue.async { unsafe job.runSynchronously(on: executor) }
        // A loop that is the main actor's executor does not end.
        case .main(let job), .taskInMain(let job):
            DispatchQueue.main.async { unsafe job.runSynchronously(on: MainActor.sharedUnownedExecutor) }
        // Comes back here as a job.
        case .place(let place): unsafe place.resume()
        case .wait(var wait): wait.resume(returning: ())
        }
    }
}
