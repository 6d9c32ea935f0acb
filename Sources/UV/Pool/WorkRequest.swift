/// Runs a closure on a thread of libuv's pool. For work that computes; calls that may block for long, such as look-ups or
/// locks, starve the files that share the pool: see ``ThreadPool``.
public final class WorkRequest: PoolRequest {
    /// Runs a closure on a thread of the pool.
    ///
    /// - Parameter work: Runs once, on a thread of the pool, unless the request is canceled before it starts.
    /// - Parameter onDone: Called once on the loop's thread: with what the work returned or threw, or with ``UVError``
    ///   `.canceled` when it did not run.
    ///
    /// Calls `uv_queue_work`.
    @discardableResult
    public static func run<Value: Sendable>(
        on loop: Loop, _ work: @escaping @Sendable () throws -> Value,
        onDone: @escaping (WorkRequest, Result<Value, any Error>) -> Void
    ) throws(UVError) -> WorkRequest {
        let request = WorkRequest(on: loop)
        var result: Result<Value, any Error>?
        try request.begin("work") {
            result = Result { try work() }
        } finish: { [unowned request] wasCanceled in
            if wasCanceled { result = .failure(UVError(.canceled, in: "work")) }
            if let result { onDone(request, result) }
        }
        return request
    }
}
