internal import CPlatform
internal import Dispatch

/// Lets a loop on the main thread run what waits for that thread: `DispatchQueue.main` and the main actor.
///
/// Without it they wait until ``Loop/run(_:)`` returns. It works like CoreFoundation's run loop on Linux. The handle does not
/// keep the loop alive.
public final class MainQueueHandle {
    private let poll: PollHandle

    /// Serves the main queue from now on, until ``close()``.
    ///
    /// - Throws: ``UVError`` with `.notPermitted` when the loop's thread is not the main thread, `.notSupported` where
    ///   the system has no such queue to wait for.
    public init(on loop: Loop) throws(UVError) {
        guard cplatform_is_main_thread() != 0 else {
            throw UVError(.notPermitted, in: "main queue service", of: "a thread that is not the main thread")
        }
        let descriptor = cplatform_main_queue_descriptor()
        guard descriptor >= 0 else { throw UVError(.notSupported, in: "main queue service") }
        poll = try PollHandle(on: loop, borrowing: descriptor)
        poll.keepsLoopAlive = false
        try poll.start(.readable) { _, _ in cplatform_drain_main_queue() }
    }

    /// Ends the service. Calling it twice is harmless.
    public func close() { poll.close() }
}
