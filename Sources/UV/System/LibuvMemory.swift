internal import CLibuv
internal import Synchronization

/// The memory that libuv allocates: its loops' lists, its copies of paths, the queues of its pool.
///
/// Everything that Swift allocates is not of it, nor are handles and requests.
public enum LibuvMemory {
    /// Replaces the functions that libuv allocates with, for the rest of the process. They are called on all threads.
    ///
    /// To be called before the process's first loop, because what one function has allocated another cannot free.
    ///
    /// - Parameter allocate: As `malloc`.
    /// - Parameter reallocate: As `realloc`.
    /// - Parameter allocateZeroed: As `calloc`.
    /// - Parameter free: As `free`, also with `nil`.
    /// - Throws: ``UVError`` with `.resourceBusy` when libuv has been used already.
    ///
    /// Calls `uv_replace_allocator`.
    @unsafe
    public static func replaceAllocator(
        allocate: @convention(c) (Int) -> UnsafeMutableRawPointer?,
        reallocate: @convention(c) (UnsafeMutableRawPointer?, Int) -> UnsafeMutableRawPointer?,
        allocateZeroed: @convention(c) (Int, Int) -> UnsafeMutableRawPointer?,
        free: @convention(c) (UnsafeMutableRawPointer?) -> Void
    ) throws(UVError) {
        if ProcessSetup.isUsed { throw UVError(.resourceBusy, in: "replaceAllocator", of: "a libuv that is in use") }
        try check(unsafe uv_replace_allocator(allocate, reallocate, allocateZeroed, free), "replaceAllocator")
    }
}
