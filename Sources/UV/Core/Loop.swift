internal import CLibuv
internal import CPlatform
internal import Synchronization
internal import SystemPackage

/// An event loop: waits for timers, sockets and signals, and calls the closures that wait for them.
///
/// A loop and everything on it belong to the thread that made the loop; use from another thread stops the process
/// with a sentence. Only ``WakeupHandle/waker`` may travel.
///
/// The first loop of a process ignores SIGPIPE if nobody handles it, so that writing to a closed connection is an
/// error and not the end of the process, and opens the null device on descriptors 0 to 2 where they are closed. With glibc it
/// lets malloc keep up to 8 MiB of what is freed at the end of a heap, unless the program has set that threshold.
@safe
public final class Loop {
    /// How long ``run(_:)`` goes on.
    public enum RunMode: Sendable {
        /// Until nothing keeps the loop alive, or ``Loop/stop()``.
        case `default`
        /// One turn; waits for events if none is due.
        case once
        /// One turn; does not wait.
        case noWait
    }

    let raw: UnsafeMutablePointer<uv_loop_t>
    /// The thread that made the loop, or that has taken it since.
    let lastThread = Atomic<UInt>(cplatform_thread_number())
    /// The thread that may use the loop: ``home``. Nobody may while the process exits, and between the turns on a dispatch queue.
    let thread = Atomic<UInt>(cplatform_thread_number())
    private let ownsMemory: Bool
    /// Whether a C program owns the loop and runs it: see ``init(adopting:)``.
    package let isAdopted: Bool
    private let running = Atomic<Bool>(false)
    /// How often the loop was told to stop.
    package private(set) var stops = 0
    private(set) var isClosed = false
    let clock: TurnClock
    /// The memory that the loop's streams read into.
    @exclusivity(unchecked) package final var readMemory = ReadMemory()
    @exclusivity(unchecked) var cachedReads = CachedReads()
    @exclusivity(unchecked) var recentPieces = RecentPieces()
    let cacheTally = CacheTally()
    /// What the loop's sockets and pipes have done, for any thread.
    package let tally = LoopTally()
    /// Where the sockets of the loop receive datagrams, when none does: see ``takeDatagramReceiver()``.
    @exclusivity(unchecked) var datagramReceiver: DatagramReceiver?

    /// The request that began last of those that libuv has; each knows the one before it.
    @exclusivity(unchecked) unowned(unsafe) var lastRequest: Request?
    /// Whether libuv is to finish something of this library's, besides what belongs to handles.
    package final var hasRequests: Bool { unsafe lastRequest != nil }
    /// How often all handles were closed: a request that is with a thread by then must not begin to wait afterwards.
    final var endings = 0
    /// Who made the handles, if that is traced.
    var origins = Origins()
    /// Tells the watchdog that a callback has ended, if it watches.
    package private(set) var stallWatch: StallWatch?
    /// Runs when the watch begins or ends, in place of ``Loop``'s own care for the end of callbacks.
    package var whenWatched: (() -> Void)?

    /// What belongs with the loop in the layer above.
    package var attachment: AnyObject?

    /// Called when the loop is about to be lent to C code, whose callbacks ``afterEachCallback`` knows nothing of.
    package var beforeLendingToC: (() -> Void)?

    /// Whether another layer runs the loop and lends it to users, who must not end it.
    package var isLent = false

    /// Whether a foreign loop drives this one. Then nobody else may run or close it.
    package var isDriven = false

    /// Runs after each callback of libuv, when no user closure is on the stack. The executor builds on it.
    package var afterEachCallback: (() -> Void)? {
        get { unsafe hook.call }
        set { unsafe hook.call = newValue }
    }
    @exclusivity(unchecked) private var hook = CallbackHook()

    /// Creates a loop that belongs to the calling thread.
    ///
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` or `.noMemory` when the system refuses.
    ///
    /// Calls `uv_loop_init`.
    @available(
        *, noasync, message: "after an await the code may be on another thread; use AsyncUV.EventLoop, or a thread"
    )
    public convenience init() throws(UVError) {
        _ = ProcessSetup.once
        unsafe self.init(raw: try Self.makeRaw(), ownsMemory: true)
    }

    static func makeRaw() throws(UVError) -> UnsafeMutablePointer<uv_loop_t> {
        let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        let status = unsafe uv_loop_init(raw)
        if status < 0 {
            // libuv leaks its epoll descriptor when it gets no further ones. (It is 0 when libuv has not made one.)
            let forgotten = unsafe FileDescriptor(rawValue: raw.pointee.backend_fd)
            if forgotten.rawValue > 2 { try? forgotten.close() }
            unsafe raw.deallocate()
            throw UVError(.init(rawValue: status), in: "loop creation")
        }
        return unsafe raw
    }

    /// The process's default loop. It belongs to the thread that asks for it first; others may not use it.
    ///
    /// - Throws: As ``init()``.
    ///
    /// Calls `uv_default_loop`.
    @available(
        *, noasync, message: "after an await the code may be on another thread; use AsyncUV.EventLoop, or a thread"
    )
    public static var `default`: Loop {
        get throws(UVError) {
            _ = ProcessSetup.once
            return try DefaultLoop.shared.get()
        }
    }

    init(raw: UnsafeMutablePointer<uv_loop_t>, ownsMemory: Bool, isAdopted: Bool = false) {
        unsafe self.raw = raw
        self.ownsMemory = ownsMemory
        self.isAdopted = isAdopted
        unsafe clock = TurnClock(raw)
        ProcessExit.add(self)
        if !isAdopted, let limit = StallWatchdog.limitOfEnvironment { watchForStalls(longerThan: limit) }
    }

    deinit {
        leaveSlot()
        stallWatch?.end()
        if !isClosed {
            ProcessExit.remove(self)
            if isAdopted { clock.abandon() } else { unsafe uv_loop_close(raw) }
        }
        if ownsMemory { unsafe raw.deallocate() }
    }

    // MARK: Running

    /// Runs the loop on the calling thread. Inside itself it traps.
    ///
    /// - Returns: Whether something still keeps the loop alive, so that it should run again.
    /// - Throws: ``UVError`` with `.badFileDescriptor` when the loop is closed, `.notPermitted` on an adopted loop, which its
    ///   owner runs, `.resourceBusy` when a foreign loop drives it.
    ///
    /// Calls `uv_run`.
    @available(
        *, noasync, message: "it blocks the thread, which async code must not; use AsyncUV.EventLoop, or a thread"
    )
    @discardableResult
    public func run(_ mode: RunMode = .default) throws(UVError) -> Bool {
        checkThread("Loop")
        if isDriven { throw UVError(.resourceBusy, in: "run", of: Self.drivenText) }
        let mode =
            switch mode {
            case .default: UV_RUN_DEFAULT
            case .once: UV_RUN_ONCE
            case .noWait: UV_RUN_NOWAIT
            }
        return try run(mode)
    }

    private static let drivenText = "a loop that a foreign loop drives: close its LoopDriver first"

    func run(_ mode: uv_run_mode) throws(UVError) -> Bool {
        guard !isClosed else { throw UVError(.badFileDescriptor, in: "run", of: "a closed loop") }
        if isAdopted { throw UVError(.notPermitted, in: "run", of: "an adopted loop, which its owner runs") }
        if isRunning {
            fatalError(
                """
                Loop.run called inside Loop.run: a closure cannot run the loop that runs it. Return from the closure: the loop \
                goes on by itself.
                """)
        }
        running.store(true, ordering: .relaxed)
        stallWatch?.runBegins()
        let outer = Loop.current
        takeSlot()
        defer {
            running.store(false, ordering: .relaxed)
            stallWatch?.runEnds()
            leaveSlot()
            if let outer, outer.isUsable { outer.takeSlot() }
        }
        let isAlive = unsafe uv_run(raw, mode) != 0
        // The process may be exiting: this thread has nothing to do any more.
        checkThread("Loop")
        return isAlive
    }

    /// The loop that runs on the calling thread at the moment, or that the thread has adopted.
    public static var current: Loop? {
        unsafe cplatform_thread_slot().map { unsafe Unmanaged<Loop>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Makes this loop the thread's ``current`` one.
    package func takeSlot() { unsafe cplatform_set_thread_slot(Unmanaged.passUnretained(self).toOpaque()) }

    /// Undoes it.
    func leaveSlot() {
        if unsafe cplatform_thread_slot() == Unmanaged.passUnretained(self).toOpaque() {
            cplatform_set_thread_slot(nil)
        }
    }

    /// Makes ``run(_:)`` return at the end of this turn, or the next one return without a turn.
    ///
    /// - Throws: ``UVError`` with `.notPermitted` on a loop that an `EventLoop` has lent: see its `shutdown`.
    ///
    /// Calls `uv_stop`.
    public func stop() throws(UVError) {
        try checkNotLent("stop")
        endRun()
    }

    /// What ``stop()`` does, for whoever runs the loop.
    package func endRun() {
        checkThread("Loop")
        stops += 1
        if !isClosed { unsafe uv_stop(raw) }
    }

    func checkNotLent(_ operation: String) throws(UVError) {
        checkThread("Loop")
        if isLent { throw UVError(.notPermitted, in: operation, of: "a loop that belongs to an EventLoop") }
    }

    /// Whether a handle, a request or a close keeps the loop running. Calls `uv_loop_alive`.
    public var isAlive: Bool {
        checkThread("Loop")
        return unsafe !isClosed && uv_loop_alive(raw) != 0
    }

    // MARK: The end

    /// Ends the loop and frees what it holds of the system. A closed loop may be closed again.
    ///
    /// On an adopted loop it closes the handles that Swift code has made there, which takes effect in the owner's next turn of the
    /// loop, and changes nothing else: see ``init(adopting:)``.
    ///
    /// - Throws: ``UVError`` with `.resourceBusy` while handles or requests are open; it lists the handles, and nothing
    ///   has changed. `.notPermitted` on a loop that an `EventLoop` has lent.
    ///
    /// Calls `uv_loop_close`.
    public func close() throws(UVError) {
        try checkNotLent("close")
        guard !isClosed else { return }
        if isAdopted { return leaveOwnersLoop() }
        if isRunning { throw UVError(.resourceBusy, in: "close", of: "a running loop") }
        if isDriven { throw UVError(.resourceBusy, in: "close", of: Self.drivenText) }
        ProcessExit.remove(self)
        let status = unsafe uv_loop_close(raw)
        if status < 0 { ProcessExit.add(self) }
        try check(status, "close", of: whatIsOpen)
        isClosed = true
        watchForStalls(longerThan: nil)
        unsafe hook.end()
    }

    private func leaveOwnersLoop() {
        endings += 1
        for handle in handles { handle.close() }
        // Inner handles whose outer ones nobody has closed.
        for handle in allHandles { handle.close() }
        clock.leave()
        ProcessExit.remove(self)
        leaveSlot()
        isClosed = true
        watchForStalls(longerThan: nil)
        unsafe hook.end()
    }

    /// Ends a loop that cannot be closed, because C code still has handles there: what it uses stays for ever.
    package func abandon() {
        ProcessExit.remove(self)
        isClosed = true
        watchForStalls(longerThan: nil)
        unsafe hook.end()
        _ = unsafe Unmanaged.passRetained(self)
    }

    // MARK: Inside

    @inline(__always)
    func checkThread(_ user: @autoclosure () -> String) {
        if thread.load(ordering: .relaxed) != cplatform_thread_number() { Loop.stopForWrongThread(user(), isAdopted) }
    }

    @inline(never)
    private static func stopForWrongThread(_ user: String, _ isAdopted: Bool) -> Never {
        ProcessExit.parkIfExiting()
        if isAdopted {
            fatalError("\(user) used off its loop's thread: a loop has to be adopted on the thread that runs it.")
        }
        fatalError(
            """
            \(user) used off its loop's thread. Get there by the loop's WakeupHandle, whose waker any thread may have, or, \
            if the loop is an EventLoop, by its withLoop.
            """)
    }

    /// The thread that uses the loop, or has used it last.
    var home: UInt { lastThread.load(ordering: .relaxed) }

    package var isRunning: Bool { running.load(ordering: .relaxed) }

    /// Lets the loop's thread stop at its next call, and makes it come out of the wait for events. On the thread that exits,
    /// while the loop is open.
    func leaveThread() {
        thread.store(0, ordering: .relaxed)
        guard isRunning else { return }
        unsafe uv_stop(raw)
        unsafe clibuv_wake(raw)
    }

    @inline(__always)
    func callbackEnded() { unsafe hook.callbackEnded() }

    var isUsable: Bool { !isClosed }

    /// Begins, changes or ends the watch for stalls.
    func watchForStalls(longerThan limit: Duration?) {
        stallWatch?.end()
        stallWatch = limit.map { unsafe StallWatch(raw.pointee.backend_fd, longerThan: $0) }
        if isRunning { stallWatch?.runBegins() }
        if let whenWatched { return whenWatched() }
        afterEachCallback = stallWatch.map { watch in { watch.callbackEnded() } }
    }
}

@available(*, unavailable, message: "a loop belongs to its thread; only WakeupHandle.waker may go to others")
extension Loop: Sendable {}
