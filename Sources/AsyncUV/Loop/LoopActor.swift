/// An actor that lives on a loop: its code runs on the loop's thread, and calls from the loop's tasks cost no hop.
///
/// ```swift
/// actor Counter: LoopActor {
///     let loop: EventLoop
///     private var count = 0
///
///     init(on loop: EventLoop) { self.loop = loop }
///
///     func add() { count += 1 }
/// }
/// ```
///
/// When the loop has ended, the actor's code runs elsewhere, still one piece at a time.
public protocol LoopActor: Actor {
    /// The loop that the actor lives on.
    nonisolated var loop: EventLoop { get }
}

extension LoopActor {
    /// The loop's ``EventLoop/serialExecutor``.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.serialExecutor.asUnownedSerialExecutor()
    }
}
