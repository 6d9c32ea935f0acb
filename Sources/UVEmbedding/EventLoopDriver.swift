public import AsyncUV
public import UV

/// Lets a foreign loop drive an `EventLoop`, with all its async code: tasks, connections, files.
///
/// The tasks run during turns, on the foreign loop's thread, and nowhere else: between two turns that thread is not
/// on the loop, and what it calls of the loop comes with the next turn. `shutdown` ends the loop in turns that do not
/// wait.
public final class EventLoopDriver: LoopDriver {
    /// The loop. It can be used from any task, from now on.
    public let eventLoop: EventLoop

    /// Makes a loop to be driven on the calling thread.
    ///
    /// - Parameter label: A name of your own, for the loop's description.
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` or `.noMemory` when the system refuses.
    @available(*, noasync, message: "after an await the code may be on another thread; use EventLoop.driven(by: queue)")
    public init(label: String? = nil) throws(UVError) {
        let driven = try DrivenLoop(label: label)
        eventLoop = driven.eventLoop
        do throws(UVError) { try super.init(driven.loop, driven) } catch {
            try? driven.finish()
            throw error
        }
    }
}
