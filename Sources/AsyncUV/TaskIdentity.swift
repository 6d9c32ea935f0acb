/// Who calls: whether the current task prefers a loop, and whether it is a certain task.
extension EventLoop {
    /// Whether the caller runs on the loop and its task comes back to the loop after each suspension.
    @inline(__always)
    var hostsCurrentTask: Bool {
        guard isCurrent else { return false }
        return unsafe withUnsafeCurrentTask { task in
            unsafe task?.unownedTaskExecutor == asUnownedTaskExecutor()
        }
    }
}

/// Remembers a task as long as a scope of it is open. Later it must be forgotten: another task may look the same.
@safe
struct TaskIdentity {
    private var task: UnsafeCurrentTask?

    static let none = unsafe Self(task: nil)

    static var current: Self { unsafe withUnsafeCurrentTask { unsafe Self(task: $0) } }

    private init(task: UnsafeCurrentTask?) { unsafe self.task = task }

    /// Whether the remembered task is the caller.
    @inline(__always)
    var isCurrent: Bool {
        guard let task = unsafe task else { return false }
        return unsafe withUnsafeCurrentTask { unsafe $0 == task }
    }
}
