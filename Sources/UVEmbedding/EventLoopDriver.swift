public import AsyncUV
public import UV

/// Lets a foreign loop drive an `EventLoop`, with all its async code: tasks, connections, files.
///
/// The tasks run during turns, on the foreign loop's thread, and nowhere else: between two turns that thread is not
/// on the loop, and what it calls of the loop comes with the next turn. `shutdown` ends the loop in turns that do not
/// wait.
///
/// Made on the main thread, its turns also run the main actor's code and what is on `DispatchQueue.main`, until the loop ends, because
/// epoll, GLib and another loop of libuv do not. A ``DispatchLoopAdapter`` leaves that to Dispatch.
public final class EventLoopDriver: LoopDriver {
    /// The loop. It can be used from any task, from now on.
    public let eventLoop: EventLoop

    /// Makes a loop to be driven on the calling thread.
    ///
    /// - Parameters:
    ///   - label: A name of your own, for the loop's description.
    ///   - servesMainActor: Whether the turns run the main actor's code, if this is the main thread.
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` or `.noMemory` when the system refuses.
    @available(*, noasync, message: "after an await the code may be on another thread; use EventLoop.driven(by: queue)")
    public init(label: String? = nil, servesMainActor: Bool = true) throws(UVError) {
        let driven = try DrivenLoop(label: label, servesMainActor: servesMainActor)
        eventLoop = driven.eventLoop
        do throws(UVError) { try super.init(driven.loop, driven) } catch {
            try? driven.finish()
            throw error
        }
    }
}
