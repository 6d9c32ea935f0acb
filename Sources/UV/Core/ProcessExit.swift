internal import CPlatform
internal import Synchronization

/// Parks the threads of all loops while the process exits.
///
/// `exit` runs libuv's clean-up while other threads go on; it closes the pipe that is libuv's lock for signals, and the next
/// call that needs this lock aborts the process. An exit handler of ours runs before: from then on every thread that
/// enters the library stops for ever, except for the one that exits.
enum ProcessExit {
    private struct State {
        /// The addresses of all open loops, by those of libuv's: a loop leaves the table before it is freed.
        var loops: [UInt: UInt] = [:]
        var parkedThreads: Set<UInt> = []
    }

    private static let state = Mutex(State())
    /// The thread that exits; 0 before.
    private static let exiting = Atomic<UInt>(0)
    /// Held by whoever uses libuv's lock for signals, and by the exiting thread from its beginning on.
    private nonisolated(unsafe) static let signals = unsafe cplatform_lock_create()

    /// How long the exit waits for a user closure that is computing. After that its thread is parked when the closure returns.
    private static let patience = Duration.milliseconds(300)

    static func prepare() {
        cplatform_prepare_exit(parkLoops) { CInt(clamping: ThreadPool.busyRequests) }
    }

    static func add(_ loop: Loop) {
        parkIfExiting()
        state.withLock { $0.loops[unsafe UInt(bitPattern: loop.raw)] = address(of: loop) }
    }

    static func remove(_ loop: Loop) {
        state.withLock { _ = $0.loops.removeValue(forKey: unsafe UInt(bitPattern: loop.raw)) }
    }

    /// Whether a loop of libuv's belongs to a ``Loop``.
    static func knows(_ raw: UnsafeMutableRawPointer) -> Bool {
        state.withLock { $0.loops[UInt(bitPattern: raw)] != nil }
    }

    /// Does something with libuv's signal handles that may take their lock.
    static func withSignals<Result>(_ body: () -> Result) -> Result {
        if exiting.load(ordering: .acquiring) == cplatform_thread_number() { return body() }
        unsafe cplatform_lock(signals)
        defer { unsafe cplatform_unlock(signals) }
        return body()
    }

    /// Stops the calling thread for ever when another thread has begun to exit.
    static func parkIfExiting() {
        let exiting = exiting.load(ordering: .acquiring)
        let thread = cplatform_thread_number()
        if exiting == 0 || exiting == thread { return }
        state.withLock { _ = $0.parkedThreads.insert(thread) }
        cplatform_park()
    }

    fileprivate static func parkAll() {
        let thread = cplatform_thread_number()
        exiting.store(thread, ordering: .releasing)
        state.withLock { state in
            for address in state.loops.values { lend(address) { if $0.home != thread { $0.leaveThread() } } }
        }
        let deadline = Loop.hrtime + patience
        while Loop.hrtime < deadline, isAnyLoopRunning(besides: thread) { usleep(200) }
        unsafe cplatform_lock(signals)
    }

    private static func isAnyLoopRunning(besides thread: UInt) -> Bool {
        state.withLock { state in
            state.loops.values.contains { address in
                lend(address) { $0.home != thread && $0.isRunning && !state.parkedThreads.contains($0.home) }
            }
        }
    }

    private static func address(of loop: Loop) -> UInt {
        unsafe UInt(bitPattern: Unmanaged.passUnretained(loop).toOpaque())
    }

    /// The loop is open, though its last reference may just have gone: it must not be retained.
    private static func lend<Result>(_ address: UInt, _ body: (Loop) -> Result) -> Result {
        let pointer = unsafe UnsafeRawPointer(bitPattern: address).unsafelyUnwrapped
        return unsafe Unmanaged<Loop>.fromOpaque(pointer)._withUnsafeGuaranteedRef(body)
    }
}

private func parkLoops() { ProcessExit.parkAll() }
