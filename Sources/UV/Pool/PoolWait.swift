internal import SystemPackage

/// What a request waits for on its loop, without a thread, before a thread goes on with it.
enum PoolWait {
    /// A pipe, a terminal or the like that has nothing to read, or no room.
    case ready(FileDescriptor, PollHandle.Events)
    /// Something that the system does not tell, so that somebody has to look again: a FIFO gets a reader, a lease ends.
    case change

    /// The handle that waits. The closure is called once at most.
    func handle(on loop: Loop, _ onReady: @escaping (Handle) -> Void) throws(UVError) -> Handle {
        if case .ready(let file, let events) = self, let handle = try? PollHandle(on: loop, watching: file) {
            handle.label = "file"
            try handle.start(events, once: true) { handle, _ in onReady(handle) }
            return handle
        }
        // Also for what cannot be polled, and without a free descriptor for it.
        let timer = try TimerHandle(on: loop)
        timer.label = "file"
        try timer.start(after: .milliseconds(10)) { onReady($0) }
        return timer
    }
}
