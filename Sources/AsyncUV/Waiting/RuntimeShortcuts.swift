internal import CPlatform
internal import CSwiftRuntime
internal import UV

/// What the Swift runtime can do and the standard library does not show, or does more slowly.
///
/// All of it is speed, not correctness. Beside each shortcut stands the documented way, which is compiled where
/// `SWIFT_UV_PLAIN` is defined, and by compilers from 6.4 on, whose own functions suspend in place. CI runs the tests both
/// ways. Prices are user-land instructions, counted with callgrind.
@usableFromInline
package enum RuntimeShortcuts {
    #if SWIFT_UV_PLAIN || compiler(>=6.4)

    // MARK: The documented way

    @inlinable
    @inline(__always)
    package static func suspend<Value>(
        _ body: (UnsafeContinuation<Value, any Error>) -> Void
    ) async throws -> Value {
        try await unsafe withUnsafeThrowingContinuation { unsafe body($0) }
    }

    @inlinable
    @inline(__always)
    package static func suspend<Value>(_ body: (UnsafeContinuation<Value, Never>) -> Void) async -> Value {
        await unsafe withUnsafeContinuation { unsafe body($0) }
    }

    static func suspend<Value>(
        cancelling link: WaitLink, on loop: EventLoop, _ body: (UnsafeContinuation<Value, any Error>) -> Void
    ) async throws -> Value {
        let canceller = Canceller(link: link, loop: loop)
        return try await withTaskCancellationHandler {
            try await unsafe suspend { unsafe body($0) }
        } onCancel: {
            canceller.cancel()
        }
    }

    /// Tells a link on another thread, which only one of its methods is made for.
    private struct Canceller: @unchecked Sendable {
        let link: WaitLink
        let loop: EventLoop

        func cancel() { link.taskWasCancelled(on: loop) }
    }

    static func serve<Connection: StreamConnection>(
        _ connection: Connection, _ body: () async throws -> Void
    ) async throws {
        try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            connection.cancelOwnersRead()
        }
    }

    static func run(cancelling link: WaitLink, on loop: EventLoop, _ body: () async throws -> Void) async throws {
        let canceller = Canceller(link: link, loop: loop)
        try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            canceller.cancel()
        }
    }

    static var isCancelled: Bool { Task.isCancelled }

    /// Nobody tells.
    static func task<Value>(of place: UnsafeContinuation<Value, any Error>) -> UInt { 0 }
    static func frames(of task: UInt) -> [UInt] { [] }
    static func prepareDiagnosis() {}

    package static var currentTask: UInt {
        unsafe withUnsafeCurrentTask { unsafe $0.map { unsafe UInt(bitPattern: $0.hashValue) } ?? 0 }
    }

    /// A job does not say whose it is: it mostly is the current task's.
    static func isCurrentTask(_ job: UnownedJob) -> Bool { unsafe withUnsafeCurrentTask { unsafe $0 != nil } }

    #else

    // MARK: Suspending

    /// Suspends the caller; the body keeps the continuation, and runs on the caller's thread with nothing in between.
    ///
    /// `withUnsafeThrowingContinuation` switches to the caller's executor before it suspends, though the caller is there:
    /// 250 instructions, and a trip through the queue where the runtime thinks that the executors differ.
    @inlinable
    @inline(__always)
    package static func suspend<Value>(
        _ body: (UnsafeContinuation<Value, any Error>) -> Void
    ) async throws -> Value {
        try await unsafe _unsafeInheritExecutor_withUnsafeThrowingContinuation { unsafe body($0) }
    }

    /// As the other one, for what does not throw.
    @inlinable
    @inline(__always)
    package static func suspend<Value>(_ body: (UnsafeContinuation<Value, Never>) -> Void) async -> Value {
        await unsafe _unsafeInheritExecutor_withUnsafeContinuation { unsafe body($0) }
    }

    /// Suspends the caller; when its task is cancelled, the link gives up, on its loop.
    ///
    /// `withTaskCancellationHandler` has a frame of its own, and looks at the task's executor four times: 1,300
    /// instructions, and the memory of each task that sleeps. The record of the runtime is memory of the task, last in,
    /// first out: nothing of a generic type's size may be made while it is there, so only `Void` is waited for here where the
    /// type is not known.
    @inline(__always)
    static func suspend<Value>(
        cancelling link: WaitLink, on loop: EventLoop, _ body: (UnsafeContinuation<Value, any Error>) -> Void
    ) async throws -> Value {
        _ = cancellationIsHandled
        unsafe link.loop = loop
        let record = unsafe cruntime_add_cancellation_handler(Unmanaged.passUnretained(link).toOpaque())
        defer {
            unsafe cruntime_remove_cancellation_handler(record)
            // Another thread may have been about to tell it.
            withExtendedLifetime((link, loop)) {}
        }
        return try await unsafe suspend { unsafe body($0) }
    }

    /// Runs the handler of a served connection; when its task is cancelled, the connection's read ends.
    ///
    /// `withTaskCancellationHandler` and the closure in it have three frames, 192 bytes of each connection's task: enough to
    /// make the task of a handler that says a little more than `for try await` need another KiB.
    @inline(__always)
    static func serve<Connection: StreamConnection>(
        _ connection: Connection, _ body: () async throws -> Void
    ) async throws {
        _ = cancellationIsHandled
        let record = unsafe cruntime_add_cancellation_handler(Unmanaged.passUnretained(connection).toOpaque())
        defer {
            unsafe cruntime_remove_cancellation_handler(record)
            // Another thread may have been about to tell it.
            withExtendedLifetime(connection) {}
        }
        try await body()
    }

    /// Runs a body; when its task is cancelled, the link gives up, on its loop. Otherwise as ``serve(_:_:)``.
    @inline(__always)
    static func run(cancelling link: WaitLink, on loop: EventLoop, _ body: () async throws -> Void) async throws {
        _ = cancellationIsHandled
        unsafe link.loop = loop
        let record = unsafe cruntime_add_cancellation_handler(Unmanaged.passUnretained(link).toOpaque())
        defer {
            unsafe cruntime_remove_cancellation_handler(record)
            // Another thread may have been about to tell it.
            withExtendedLifetime((link, loop)) {}
        }
        try await body()
    }

    private static let cancellationIsHandled: Void = unsafe cruntime_set_cancellation_handler { context in
        guard let context = unsafe context else { return }
        let object = unsafe Unmanaged<AnyObject>.fromOpaque(context).takeUnretainedValue()
        guard let link = object as? WaitLink else {
            if let connection = object as? any StreamConnection { connection.cancelOwnersRead() }
            return
        }
        // The one thing that may be touched on another thread: it was set before the link was added.
        guard let loop = unsafe link.loop else { return }
        link.taskWasCancelled(on: loop)
    }

    // MARK: The current task

    /// Whether the current task is cancelled. `Task.isCancelled` retains and releases the task around its look.
    @inline(__always)
    static var isCancelled: Bool { cruntime_current_task_is_cancelled() != 0 }

    /// A number for the current task, 0 outside of tasks. Later another task may have the same.
    ///
    /// `UnsafeCurrentTask` can be compared, too, at 600 instructions a time: its layout is not public, so each copy goes
    /// through witness tables.
    package static var currentTask: UInt {
        @inline(__always) get { UInt(bitPattern: unsafe cruntime_current_task()) }
    }

    /// The number of a suspended task: its continuation is the task.
    static func task<Value>(of place: UnsafeContinuation<Value, any Error>) -> UInt {
        unsafe unsafeBitCast(place, to: UInt.self)
    }

    /// Where a suspended task and its callers go on, for people who ask what it waits for. Of a task that runs: where it went on last.
    static func frames(of task: UInt) -> [UInt] {
        unsafe withUnsafeTemporaryAllocation(of: UInt.self, capacity: Int(cplatform_most_frames)) { frames in
            let count = unsafe cruntime_task_frames(
                UnsafeMutableRawPointer(bitPattern: task), frames.baseAddress, CInt(frames.count), cplatform_peek)
            return unsafe Array(frames.prefix(Int(count)))
        }
    }

    /// Lets captures of threads tell of their tasks.
    static func prepareDiagnosis() { _ = diagnosisIsPrepared }

    private static let diagnosisIsPrepared: Void = {
        unsafe cruntime_set_peek(cplatform_peek)
        unsafe cplatform_set_task_source(cruntime_describe_current_task)
    }()

    /// Whether a job is one of the current task: a job of a task is the task.
    static func isCurrentTask(_ job: UnownedJob) -> Bool {
        unsafe unsafeBitCast(job, to: UInt.self) == currentTask
    }

    #endif
}
