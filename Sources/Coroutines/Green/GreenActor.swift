public import AsyncUV

/// Where everything spawned with ``Green`` runs: one loop, one thread, one at a time.
///
/// Shared data needs no lock, and the compiler knows: what is isolated to this actor is reached from it only, and between
/// two `await`s nobody else runs.
@globalActor
public actor GreenActor: LoopActor {
    /// The actor of all green tasks.
    public static let shared = GreenActor()

    /// The loop of all green tasks, with a thread of its own. It is not to be shut down: there is no other for them.
    public nonisolated let loop: EventLoop = {
        do { return try EventLoop() } catch { fatalError("the loop of the green tasks cannot start: \(error)") }
    }()
}
