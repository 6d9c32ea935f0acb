/// Who calls: whether the current task prefers a loop, and whether it is a certain task.
extension EventLoop {
    /// Whether the caller runs on the loop and its task comes back to the loop after each suspension.
    var hostsCurrentTask: Bool {
        guard isCurrent else { return false }
        return unsafe withUnsafeCurrentTask { task in
            let preferred = unsafe task?.unownedTaskExecutor
            if unsafe preferred == asUnownedTaskExecutor() { return true }
            return unsafe runsAllTasks && preferred == nil && task != nil
        }
    }

    /// Whether the current task prefers this loop by itself, and a job is one of it.
    func isPreferred(by job: UnownedJob) -> Bool {
        guard isCurrent, RuntimeShortcuts.isCurrentTask(job) else { return false }
        return unsafe withUnsafeCurrentTask { task in
            unsafe task?.unownedTaskExecutor == asUnownedTaskExecutor()
        }
    }

    /// Whether the task of an actor's job prefers the loop too: the runtime compares both executors at each hop, and a job
    /// that was run with the wrong pair is enqueued again.
    ///
    /// For the current task we can ask. For any other we assume that it prefers the loop; a wrong guess costs one more hop,
    /// never correctness.
    func prefersLoop(_ job: UnownedJob) -> Bool {
        guard isCurrent else { return false }
        return RuntimeShortcuts.isCurrentTask(job) ? hostsCurrentTask : true
    }
}

/// Throws `CancellationError` when the current task has been cancelled.
@inline(__always)
func checkCancellation() throws {
    if RuntimeShortcuts.isCancelled { throw cancellationError() }
}

/// Out of line: the error's size is not public, so making one where it is thrown costs an allocation up front.
@inline(never)
private func cancellationError() -> any Error { CancellationError() }

/// The executor that the current task prefers, for a task that is to run in the same place.
func executorOfCurrentTask() -> (any TaskExecutor)? {
    unsafe withUnsafeCurrentTask { unsafe $0?.unownedTaskExecutor?.asTaskExecutor() }
}

/// Cancels the current task.
func cancelCurrentTask() { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }

/// Remembers a task as long as a scope of it is open. Later it must be forgotten: another task may get its number.
struct TaskIdentity {
    private let task: UInt

    static var none: Self { Self(task: 0) }

    static var current: Self { Self(task: RuntimeShortcuts.currentTask) }

    /// Whether the remembered task is the caller.
    @inline(__always)
    var isCurrent: Bool { task != 0 && task == RuntimeShortcuts.currentTask }
}
