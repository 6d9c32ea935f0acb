internal import CLibuv
internal import CPlatform
public import SystemPackage

/// A child process.
///
/// The child gets no descriptor but those that it is given, the default action for every signal, and an empty signal mask. The loop's
/// thread waits until the child has become its program, a millisecond or less as a rule.
///
/// Before Linux 5.11, and for a child that runs as another user, libuv starts the child. It copies this process's page tables, leaves
/// real-time signals ignored that this process ignores, and watches for SIGCHLD in place of a handler that the program may have.
///
/// Closing the handle of a child that runs leaves the child alone.
public final class ProcessHandle: Handle {
    /// The child's number in the system. Calls `uv_process_get_pid`.
    public private(set) var id: Int32 = 0
    /// How the child has ended; `nil` while it runs.
    public private(set) var exitStatus: ExitStatus?
    /// Our end of the child's standard input, if that is a `.pipe`: `closeAfterWrites` ends it. A handle of its own, to be closed.
    public let input: PipeHandle?
    /// Our end of the child's standard output, if that is a `.pipe`. A handle of its own, to be closed.
    public let output: PipeHandle?
    /// Our end of the child's standard error, if that is a `.pipe`. A handle of its own, to be closed.
    public let error: PipeHandle?
    /// Kills what is left of the child's group when the child has ended, before its number is free.
    package var killsGroupAtEnd = false
    /// Leaves the number of a child that has ended to it until the handle is closed, so that its group can still be signalled. Not
    /// where libuv has started the child.
    package var keepsNumber = false
    private let hasGroup: Bool
    private var onExit: ((ProcessHandle, ExitStatus) -> Void)?
    private var watch: ExitWatch?
    /// The child's own descriptor, which the handle watches; `nil` where libuv has started the child.
    private var descriptor: FileDescriptor?
    private var raw: UnsafeMutablePointer<uv_process_t> { unsafe memory.assumingMemoryBound(to: uv_process_t.self) }

    /// Starts a program.
    ///
    /// - Parameter program: A path, or a name that is looked for in the child's `PATH`.
    /// - Parameter arguments: Without the program's name, which comes first by itself.
    /// - Parameter further: What the child has as descriptors 3, 4, …, five at most. They stay the caller's.
    /// - Parameter onExit: Called once, when the child has ended. Its output may still be on the way: wait for the ends of
    ///   ``output`` and ``error``, too. A descendant that has them as well keeps them open.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory` or `.permissionDenied` and the name of the program, of the directory,
    ///   or of the user as whom it may not run (`.notPermitted`); `.invalidArgument` for a text with a NUL, a variable's name
    ///   with a `=`, and more than five further descriptors; `.argListTooLong`, `.tooManyOpenFiles`,
    ///   `.resourceTemporarilyUnavailable`. Nothing stays.
    ///
    /// Calls `uv_spawn`, `uv_poll_init`, `uv_poll_start`.
    public init(
        on loop: Loop, _ program: String, _ arguments: [String] = [], options: ProcessOptions = ProcessOptions(),
        input: StandardStream = .null, output: StandardStream = .inherit, error: StandardStream = .inherit,
        further: [FileDescriptor] = [], file: StaticString = #fileID, line: UInt = #line,
        onExit: @escaping (ProcessHandle, ExitStatus) -> Void
    ) throws(UVError) {
        if further.count > Spawn.mostFurther {
            throw UVError(.invalidArgument, in: "spawn", of: "\(program) with \(further.count) further descriptors")
        }
        loop.checkThread("ProcessHandle")
        guard loop.isUsable else { throw UVError(.badFileDescriptor, in: "spawn", of: "\(program) on a closed loop") }
        OrphanedChildren.reap()
        let spawn = try Spawn(
            program, arguments, options, [input, output, error] + further.map { .file($0) }, on: loop)
        self.input = spawn.pipes[0]
        self.output = spawn.pipes[1]
        self.error = spawn.pipes[2]
        self.onExit = onExit
        hasGroup = options.isDetached
        if spawn.isForked {
            unsafe try super.init(on: loop, as: uv_process_t.self, "spawn", of: program, file, line) {
                unsafe spawn.begin(loop.raw, $0)
                return 0
            }
            do throws(UVError) { try spawn.finish() } catch {
                // libuv knows the handle even after a failure.
                close()
                throw error
            }
            id = unsafe uv_process_get_pid(raw)
            watch = ExitWatch(of: id, on: loop) { [unowned self] in reap() }
        } else {
            let (process, descriptor) = try spawn.start()
            do {
                unsafe try super.init(on: loop, as: uv_poll_t.self, "spawn", of: program, file, line) {
                    unsafe uv_poll_init(loop.raw, $0, descriptor)
                }
            } catch {
                spawn.abandon(process, descriptor)
                throw error
            }
            id = process
            self.descriptor = FileDescriptor(rawValue: descriptor)
            unsafe uv_poll_start(
                memory.assumingMemoryBound(to: uv_poll_t.self), CInt(UV_READABLE.rawValue), childReadable)
        }
    }

    // MARK: Signals

    /// Sends a signal to the child. `Signal(0)` only asks whether it is there.
    ///
    /// - Throws: ``UVError`` with `.noSuchProcess` when it has ended, `.notPermitted` when it runs as another user,
    ///   `.invalidArgument` for a number that is no signal.
    ///
    /// Calls `uv_process_kill`, `uv_kill`.
    public func kill(_ signal: Signal = .terminate) throws(UVError) {
        try checkRunning()
        let status = unsafe descriptor == nil ? uv_process_kill(raw, signal.rawValue) : uv_kill(id, signal.rawValue)
        try check(status, "kill", of: "process \(id)")
    }

    /// Sends a signal to the child and all descendants that have not left its group.
    ///
    /// - Throws: As ``kill(_:)``; `.notPermitted` for a child that has no group of its own: see ``ProcessOptions/isDetached``.
    public func killGroup(_ signal: Signal = .terminate) throws(UVError) {
        try checkRunning()
        guard hasGroup else { throw UVError(.notPermitted, in: "kill", of: "process \(id), which has no group") }
        try signal.send(toGroup: id)
    }

    private func checkRunning() throws(UVError) {
        try checkOpen("kill")
        if exitStatus != nil { throw UVError(.noSuchProcess, in: "kill", of: "process \(id)") }
    }

    /// Lets none of this process's descriptors be inherited, up to the first gap beyond number 15, by programs that other parts of
    /// it start. Those that ``ProcessHandle`` starts need no such call. For the start of a program.
    ///
    /// Calls `uv_disable_stdio_inheritance`.
    public static func disableInheritance() { uv_disable_stdio_inheritance() }

    // MARK: State

    public override var isActive: Bool { super.isActive && exitStatus == nil }

    public override var keepsLoopAlive: Bool {
        get { super.keepsLoopAlive }
        set { if exitStatus == nil { super.keepsLoopAlive = newValue } }
    }

    override var noun: String { id == 0 ? super.noun : "process \(id)" }

    override func willClose() {
        watch.take()?.close()
        guard id != 0, exitStatus == nil || keepsNumber else { return }
        OrphanedChildren.add(id)
        if exitStatus != nil { OrphanedChildren.reap() }
    }

    override func beginClose() {
        if descriptor == nil { ProcessExit.withSignals { super.beginClose() } } else { super.beginClose() }
    }

    override func didClose() { descriptor?.closeIgnoringErrors() }

    override func dropClosures() { onExit = nil }

    // MARK: The end

    /// The child has ended.
    fileprivate func reap() {
        killRestOfGroup()
        var status: CInt = 0
        var signal: CInt = 0
        let look = unsafe keepsNumber && descriptor != nil ? cplatform_look_at_end : cplatform_reap
        switch unsafe look(id, &status, &signal) {
        case 0: break  // It has not: libuv will tell.
        case id: ended(ExitStatus(exit: status, signal: signal))
        default: ended(.unknown)
        }
    }

    fileprivate func killRestOfGroup() {
        if killsGroupAtEnd, hasGroup { _ = uv_kill(-id, Signal.kill.rawValue) }
    }

    fileprivate func ended(_ status: ExitStatus) {
        guard exitStatus == nil else { return }
        if descriptor == nil {
            // libuv goes on asking for it until the handle is closed.
            keepsLoopAlive = false
        } else {
            unsafe uv_poll_stop(memory.assumingMemoryBound(to: uv_poll_t.self))
        }
        exitStatus = status
        watch.take()?.close()
        let call = onExit.take()
        call?(self, status)
    }
}

private func childReadable(_ raw: UnsafeMutablePointer<uv_poll_t>?, _ status: CInt, _ events: CInt) {
    unsafe callBack(raw, ProcessHandle.self) { $0.reap() }
}

/// Called by libuv where there is no ``ExitWatch``, or when SIGCHLD came first.
func childEnded(_ raw: UnsafeMutablePointer<uv_process_t>?, _ status: Int64, _ signal: CInt) {
    unsafe callBack(raw, ProcessHandle.self) { process in
        process.killRestOfGroup()
        process.ended(ExitStatus(exit: CInt(truncatingIfNeeded: status), signal: signal))
    }
}
