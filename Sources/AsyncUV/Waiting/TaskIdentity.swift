internal import CSwiftRuntime

/// Who calls: whether the current task prefers a loop, and whether it is a certain task.
extension EventLoop {
    /// Whether the caller runs on the loop and its task comes back to the loop after each suspension.
    var hostsCurrentTask: Bool {
        guard isCurrent else { return false }
        return unsafe withUnsafeCurrentTask { task in
            unsafe task?.unownedTaskExecutor == asUnownedTaskExecutor()
        }
    }
}

extension EventLoop {
    /// Whether the task of an actor's job prefers the loop too: the runtime compares both executors at each hop, and a job
    /// that was run with the wrong pair is enqueued again.
    ///
    /// Known for the current task; others that are resumed on the loop most likely wait for something of the loop.
    func prefersLoop(_ job: UnownedJob) -> Bool {
        guard isCurrent else { return false }
        let isCurrentTask = unsafe unsafeBitCast(job, to: UnsafeMutableRawPointer.self) == cruntime_current_task()
        return isCurrentTask ? hostsCurrentTask : true
    }
}

/// Throws `CancellationError` when the current task has been cancelled. For hot paths: see ``TaskIdentity``.
@inline(__always)
func checkCancellation() throws {
    if cruntime_current_task_is_cancelled() != 0 { throw cancellationError() }
}

/// Out of line: the error's size is not public, so making one where it is thrown costs an allocation up front.
@inline(never)
private func cancellationError() -> any Error { CancellationError() }

/// Remembers a task as long as a scope of it is open. Later it must be forgotten: another task may get its address.
///
/// `UnsafeCurrentTask` can be compared too, at 600 instructions a time: its layout is not public, so each copy goes
/// through witness tables.
@safe
struct TaskIdentity {
    private let task: UnsafeMutableRawPointer?

    static var none: Self { unsafe Self(task: nil) }

    static var current: Self { unsafe Self(task: cruntime_current_task()) }

    /// Whether the remembered task is the caller.
    @inline(__always)
    var isCurrent: Bool { unsafe task != nil && task == cruntime_current_task() }
}
