internal import CLibuv
internal import CPlatform
internal import Synchronization

/// What the driver of a loop needs: it runs the loop's turns inside a foreign loop.
extension Loop {
    /// Runs one turn that does not wait.
    ///
    /// - Returns: Whether something keeps the loop alive.
    package func turn() throws(UVError) -> Bool {
        checkThread("Loop")
        return try run(UV_RUN_NOWAIT)
    }

    /// Whether the calling thread may use the loop now.
    package var isHere: Bool { thread.load(ordering: .relaxed) == cplatform_thread_number() }

    /// Gives the loop to the calling thread, if no thread has it.
    ///
    /// What the thread before it has done on the loop has happened before, also for the thread sanitizer.
    package func takeThread() -> Bool {
        ProcessExit.parkIfExiting()
        let caller = cplatform_thread_number()
        guard thread.compareExchange(expected: 0, desired: caller, ordering: .acquiringAndReleasing).exchanged else {
            return false
        }
        lastThread.store(caller, ordering: .relaxed)
        // The exit may have begun in between, and has taken the loop from nobody.
        ProcessExit.parkIfExiting()
        return true
    }

    /// Takes the loop from the calling thread. Until a thread takes it nobody may use it.
    package func releaseThread() {
        checkThread("Loop")
        thread.store(0, ordering: .releasing)
    }
}
