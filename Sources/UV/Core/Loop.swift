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
/// error and not the end of the process, and opens the null device on descriptors 0 to 2 where they are closed.
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
    /// The thread that made the loop.
    let home = cplatform_thread_number()
    /// The thread that may use the loop: ``home``, and nobody while the process exits.
    private let thread = Atomic<UInt>(cplatform_thread_number())
    private let ownsMemory: Bool
    private let running = Atomic<Bool>(false)
    private var isClosed = false
    let clock: TurnClock
    @exclusivity(unchecked) private var buffer: [UInt8] = []
    /// What is lent of the buffer: see ``StreamHandle/readLent(upTo:onDone:)``.
    @exclusivity(unchecked) var lent = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    @exclusivity(unchecked) private var spare: [UInt8] = []
    @exclusivity(unchecked) var cachedReads = CachedReads()
    @exclusivity(unchecked) var recentPieces = RecentPieces()
    let cacheTally = CacheTally()
    /// Where the sockets of the loop receive datagrams, when none does: see ``takeDatagramReceiver()``.
    @exclusivity(unchecked) var datagramReceiver: DatagramReceiver?

    /// The request that began last of those that libuv has; each knows the one before it.
    @exclusivity(unchecked) unowned(unsafe) var lastRequest: Request?
    /// Who made the handles, if that is traced.
    var origins = Origins()
    /// Tells the watchdog that a callback has ended, if it watches.
    package private(set) var stallWatch: StallWatch?
    /// Runs when the watch begins or ends, in place of ``Loop``'s own care for the end of callbacks.
    package var whenWatched: (() -> Void)?

    /// What belongs with the loop in the layer above.
    package var attachment: AnyObject?

    /// Whether another layer runs the loop and lends it to users, who must not end it.
    package var isLent = false

    /// Runs after each callback of libuv, when no user closure is on the stack. The executor builds on it.
    package var afterEachCallback: (() -> Void)? {
        get { unsafe hook?.takeUnretainedValue().call }
        set {
            let new = newValue.map(Hook.init)
            if let new { hooks.append(new) }
            unsafe hook = new.map { unsafe Unmanaged.passUnretained($0) }
        }
    }

    private final class Hook {
        let call: () -> Void
        init(_ call: @escaping () -> Void) { self.call = call }
    }

    /// Called without a retain, so one that is replaced during its own call must live on: ``hooks`` keeps all until the
    /// loop is closed.
    @exclusivity(unchecked) private var hook: Unmanaged<Hook>?
    private var hooks: [Hook] = []

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

    init(raw: UnsafeMutablePointer<uv_loop_t>, ownsMemory: Bool) {
        unsafe self.raw = raw
        self.ownsMemory = ownsMemory
        unsafe clock = TurnClock(raw)
        unsafe raw.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        ProcessExit.add(self)
        if let limit = StallWatchdog.limitOfEnvironment { watchForStalls(longerThan: limit) }
    }

    deinit {
        stallWatch?.end()
        if !isClosed {
            ProcessExit.remove(self)
            unsafe uv_loop_close(raw)
        }
        if ownsMemory { unsafe raw.deallocate() }
    }

    // MARK: Running

    /// Runs the loop on the calling thread. Inside itself it traps.
    ///
    /// - Returns: Whether something still keeps the loop alive, so that it should run again.
    /// - Throws: ``UVError`` with `.badFileDescriptor` when the loop is closed.
    ///
    /// Calls `uv_run`.
    @available(
        *, noasync, message: "it blocks the thread, which async code must not; use AsyncUV.EventLoop, or a thread"
    )
    @discardableResult
    public func run(_ mode: RunMode = .default) throws(UVError) -> Bool {
        checkThread("Loop")
        guard !isClosed else { throw UVError(.badFileDescriptor, in: "run", of: "a closed loop") }
        if isRunning { fatalError("Loop.run called inside Loop.run: a closure cannot run the loop that runs it") }
        running.store(true, ordering: .relaxed)
        stallWatch?.runBegins()
        let outer = unsafe cplatform_thread_slot()
        unsafe cplatform_set_thread_slot(Unmanaged.passUnretained(self).toOpaque())
        defer {
            running.store(false, ordering: .relaxed)
            stallWatch?.runEnds()
            unsafe cplatform_set_thread_slot(outer)
        }
        let mode =
            switch mode {
            case .default: UV_RUN_DEFAULT
            case .once: UV_RUN_ONCE
            case .noWait: UV_RUN_NOWAIT
            }
        let isAlive = unsafe uv_run(raw, mode) != 0
        // The process may be exiting: this thread has nothing to do any more.
        checkThread("Loop")
        return isAlive
    }

    /// The loop that runs on the calling thread at the moment.
    public static var current: Loop? {
        unsafe cplatform_thread_slot().map { unsafe Unmanaged<Loop>.fromOpaque($0).takeUnretainedValue() }
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
        if !isClosed { unsafe uv_stop(raw) }
    }

    private func checkNotLent(_ operation: String) throws(UVError) {
        checkThread("Loop")
        if isLent { throw UVError(.notPermitted, in: operation, of: "a loop that belongs to an EventLoop") }
    }

    /// Whether a handle, a request or a close keeps the loop running. Calls `uv_loop_alive`.
    public var isAlive: Bool {
        checkThread("Loop")
        return unsafe !isClosed && uv_loop_alive(raw) != 0
    }

    // MARK: Handles and the end

    /// The handles that have not finished closing, in the order of their creation. Calls `uv_walk`.
    public var handles: [Handle] { allHandles.filter { !$0.isInternal } }

    var allHandles: [Handle] {
        checkThread("Loop")
        guard !isClosed else { return [] }
        var found: [Handle] = []
        unsafe withUnsafeMutablePointer(to: &found) { unsafe uv_walk(raw, collectHandle, $0) }
        return found
    }

    /// Closes every handle: the next ``run(_:)`` ends what is pending and returns. For a loop that is to be dropped.
    ///
    /// - Throws: ``UVError`` with `.notPermitted` on a loop that an `EventLoop` has lent.
    public func closeAllHandles() throws(UVError) {
        try checkNotLent("closeAllHandles")
        endings += 1
        for handle in handles { handle.close() }
    }

    /// How often all handles were closed: a request that is with a thread by then must not begin to wait afterwards.
    private(set) var endings = 0

    /// Ends the loop and frees what it holds of the system. A closed loop may be closed again.
    ///
    /// - Throws: ``UVError`` with `.resourceBusy` while handles or requests are open; it lists the handles, and nothing
    ///   has changed. `.notPermitted` on a loop that an `EventLoop` has lent.
    ///
    /// Calls `uv_loop_close`.
    public func close() throws(UVError) {
        try checkNotLent("close")
        guard !isClosed else { return }
        if isRunning { throw UVError(.resourceBusy, in: "close", of: "a running loop") }
        ProcessExit.remove(self)
        let status = unsafe uv_loop_close(raw)
        if status < 0 { ProcessExit.add(self) }
        try check(status, "close", of: whatIsOpen)
        isClosed = true
        watchForStalls(longerThan: nil)
        unsafe hook = nil
        hooks = []
    }

    // MARK: Inside

    @inline(__always)
    func checkThread(_ user: @autoclosure () -> String) {
        if thread.load(ordering: .relaxed) != cplatform_thread_number() { Loop.stopForWrongThread(user()) }
    }

    @inline(never)
    private static func stopForWrongThread(_ user: String) -> Never {
        ProcessExit.parkIfExiting()
        fatalError(
            """
            \(user) used off its loop's thread. Get there by the loop's WakeupHandle, whose waker any thread may have, or, \
            if the loop is an EventLoop, by its withLoop.
            """)
    }

    var isRunning: Bool { running.load(ordering: .relaxed) }

    /// Lets the loop's thread stop at its next call, and makes it come out of the wait for events. On the thread that exits,
    /// while the loop is open.
    func leaveThread() {
        thread.store(0, ordering: .relaxed)
        guard isRunning else { return }
        unsafe uv_stop(raw)
        unsafe clibuv_wake(raw)
    }

    @inline(__always)
    func callbackEnded() {
        if let hook = unsafe hook { unsafe hook._withUnsafeGuaranteedRef { $0.call() } }
    }

    /// The buffer that every stream of the loop reads into. One is enough, because libuv fills one buffer at a time.
    ///
    /// The memory of an array that nobody else has, so it stays in place.
    var readBuffer: UnsafeMutableRawBufferPointer {
        if unsafe buffer.isEmpty { unsafe buffer = .unset(count: Receiver.largest) }
        return unsafe buffer.withUnsafeMutableBytes { unsafe $0 }
    }

    /// What has just been read, as an array: a large read takes the buffer with it, a small one is copied.
    func takeRead(_ bytes: Span<UInt8>) -> [UInt8] {
        guard bytes.count >= Receiver.largest / 2 else { return [UInt8](copying: bytes) }
        var taken: [UInt8] = []
        unsafe swap(&taken, &buffer)
        taken.removeLast(taken.count - bytes.count)
        return taken
    }

    /// Takes an array with room, which a reader has left with ``leaveSpare(_:)``; its bytes mean nothing. Readers that are done with
    /// their bytes pass their memory on, so that it is neither made for each read nor kept by each connection.
    package func takeSpare() -> [UInt8] {
        var taken: [UInt8] = []
        unsafe swap(&taken, &spare)
        return taken
    }

    /// Leaves an array, whose bytes mean nothing any more, to the next reader.
    package func leaveSpare(_ array: consuming [UInt8]) {
        if unsafe array.capacity > spare.capacity, array.capacity <= 2 * Receiver.largest { unsafe spare = array }
    }

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

private func collectHandle(_ raw: UnsafeMutablePointer<uv_handle_t>?, _ context: UnsafeMutableRawPointer?) {
    guard let raw = unsafe raw, let context = unsafe context, unsafe raw.pointee.data != nil else { return }
    unsafe context.assumingMemoryBound(to: [Handle].self).pointee.append(unsafe Handle.owner(of: raw))
}
