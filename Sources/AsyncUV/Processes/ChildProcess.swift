public import UV

/// A child process.
///
/// ```swift
/// let sorted = try await ChildProcess.run("sort", ["-n"], input: Array("3\n1\n2\n".utf8))
/// print(sorted.status, sorted.text)
/// ```
///
/// ``run(_:_:options:input:limit:timeout:grace:on:)`` gathers what a program prints, ``withProcess(_:_:options:grace:on:_:)`` talks with
/// it, and ``spawn(_:_:options:input:output:error:on:)`` only starts it. The first two leave nobody behind when they throw or are
/// cancelled.
///
/// The child gets no descriptor but its standard ones, the default action for every signal, and an empty signal mask. Dropping the
/// last reference leaves the child alone. The loop waits for its end in any case, so that its number in the system becomes free.
/// When the loop ends first, the child goes on.
public final class ChildProcess: Sendable, CustomStringConvertible {
    /// The program's name or path, as it was given.
    public let program: String
    /// The child's number in the system.
    public let id: Int32
    /// The loop that waits for the child.
    public let loop: EventLoop
    /// Our end of the child's standard input, if that is a `.pipe`.
    public let input: ChildInput?
    /// Our end of the child's standard output, if that is a `.pipe`. A child waits when the pipe is full.
    public let output: ChildOutput?
    /// Our end of the child's standard error, if that is a `.pipe`. A child waits when the pipe is full.
    public let error: ChildOutput?
    private let core: LoopBound<ChildCore>
    private let hasGroup: Bool

    private init(
        _ program: String, _ core: ChildCore, _ handle: ProcessHandle, hasGroup: Bool, on loop: EventLoop
    ) throws(UVError) {
        self.program = program
        id = handle.id
        self.loop = loop
        self.core = LoopBound(core)
        self.hasGroup = hasGroup
        input = if let pipe = handle.input { try ChildInput(pipe, on: loop) } else { nil }
        output = if let pipe = handle.output { try ChildOutput(pipe, on: loop) } else { nil }
        error = if let pipe = handle.error { try ChildOutput(pipe, on: loop) } else { nil }
    }

    /// For people: `process 4711 (sort)`.
    public var description: String { "process \(id) (\(program))" }

    /// Starts a program.
    ///
    /// - Parameter program: A path, or a name that is looked for in the child's `PATH`.
    /// - Parameter arguments: Without the program's name, which comes first by itself.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory` or `.permissionDenied` and the name of the program, of the directory,
    ///   or of the user as whom it may not run (`.notPermitted`); `.invalidArgument` for a text with a NUL and a variable's name
    ///   with a `=`; `.argListTooLong`, `.tooManyOpenFiles`, `.resourceTemporarilyUnavailable`; `.canceled` when the loop has
    ///   ended. Nothing stays.
    ///
    /// Cancellation: a cancelled task starts nothing; otherwise none, because it does not wait.
    ///
    /// Calls `uv_spawn`.
    public static func spawn(
        _ program: String, _ arguments: [String] = [], options: ProcessOptions = ProcessOptions(),
        input: ChildStream = .null, output: ChildStream = .inherit, error: ChildStream = .inherit,
        on loop: EventLoop = .current ?? .shared
    ) async throws -> ChildProcess {
        try await spawn(program, arguments, options, [input, output, error], keepsNumber: false, on: loop)
    }

    /// - Parameter keepsNumber: Whether a child that has ended keeps its number until ``letGo()``.
    static func spawn(
        _ program: String, _ arguments: [String], _ options: ProcessOptions, _ streams: [ChildStream],
        keepsNumber: Bool, on loop: EventLoop
    ) async throws -> ChildProcess {
        try checkCancellation()
        return try await loop.making("spawn") { callbackLoop in
            let (core, handle) = try ChildCore.start(
                program, arguments, options, streams, keepsNumber: keepsNumber, on: loop, callbackLoop)
            return try ChildProcess(program, core, handle, hasGroup: options.isDetached, on: loop)
        }
    }

    // MARK: The end

    /// Waits until the child has ended. Any number of tasks may wait, and later calls return at once.
    ///
    /// Its output may still be on the way: read ``output`` and ``error`` to their ends.
    ///
    /// - Throws: `CancellationError`, or ``UVError`` with `.canceled` when the loop ends.
    ///
    /// Cancellation: the child goes on.
    @discardableResult
    public func wait() async throws -> ExitStatus {
        try await loop.perform("wait") { [core, loop] _, wait in core.open(on: loop).wait(wait) }
    }

    /// Waits for so long until the child has ended. Otherwise as ``wait()``.
    ///
    /// - Throws: As there; ``UVError`` with `.timedOut` when it has not ended in time.
    @discardableResult
    public func wait(timeout: Duration?) async throws -> ExitStatus {
        try await loop.perform("wait", of: "process \(id) (\(program))", within: timeout) { [core, loop] _, wait in
            core.open(on: loop).wait(wait)
        }
    }

    /// How the child has ended; `nil` while it runs.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    public var exitStatus: ExitStatus? {
        get async throws { try await loop.withLoop { [core, loop] _ in core.open(on: loop).status } }
    }

    // MARK: Signals

    /// Sends a signal to the child. `Signal(0)` only asks whether it is there.
    ///
    /// - Throws: ``UVError`` with `.noSuchProcess` when it has ended, `.notPermitted` when it runs as another user,
    ///   `.invalidArgument` for a number that is no signal, `.canceled` when the loop has ended.
    ///
    /// Cancellation: none; it does not wait.
    public func kill(_ signal: Signal = .terminate) async throws {
        try await loop.withLoop { [core, loop, id] _ in try core.open(on: loop).running(id).kill(signal) }
    }

    /// Sends a signal to the child and all descendants that have not left its group.
    ///
    /// - Throws: As ``kill(_:)``; `.notPermitted` for a child that has no group of its own: see `ProcessOptions.isDetached`.
    public func killGroup(_ signal: Signal = .terminate) async throws {
        try await loop.withLoop { [core, loop, id] _ in try core.open(on: loop).running(id).killGroup(signal) }
    }

    /// Ends the child, in a cancelled task too: SIGTERM, then SIGKILL if it has not ended in time. A child with a group of its own
    /// (`ProcessOptions.isDetached`) gets both as a group, and whoever is left of the group when the child has ended is killed.
    ///
    /// - Parameter grace: How long it may take to end by itself.
    /// - Returns: How it has ended; `nil` when the loop has ended first.
    ///
    /// Cancellation: none; it takes the grace at most, unless the system cannot kill the child, because a disk hangs.
    @discardableResult
    public func terminate(grace: Duration = .seconds(5)) async -> ExitStatus? {
        // A task of its own is not cancelled with the caller.
        await Task(executorPreference: loop) {
            guard (try? await self.signalAll(.terminate)) != nil else { return nil }
            if let status = try? await self.wait(timeout: grace) { return status }
            guard (try? await self.signalAll(.kill)) != nil else { return nil }
            return try? await self.wait()
        }.value
    }

    private func signalAll(_ signal: Signal) async throws {
        try await loop.withLoop { [core, loop, hasGroup] _ in core.open(on: loop).end(signal, group: hasGroup) }
    }

    /// Closes our ends of the pipes, and lets go of the number of a child that has ended.
    func letGo() async {
        await input?.close()
        await output?.close()
        await error?.close()
        // A loop that has ended has closed everything.
        try? await loop.withLoop { [core, loop] _ in core.open(on: loop).letGo() }
    }
}
