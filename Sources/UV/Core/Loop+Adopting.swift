internal import CLibuv

/// Loops that Swift shares with C code.
extension Loop {
    /// Adopts a loop that a C program owns and runs, so that Swift code can have handles there.
    ///
    /// ```swift
    /// @_cdecl("plugin_start")
    /// public func start(_ raw: UnsafeMutableRawPointer) -> CInt {
    ///     do { try Plugin.begin(on: unsafe Loop(adopting: raw)) } catch { return -1 }
    ///     return 0
    /// }
    /// ```
    ///
    /// To be called on the thread that runs the loop, before it runs or inside one of its callbacks. From then on it is the thread's
    /// ``current`` loop. The owner goes on running it: here ``run(_:)`` throws. ``handles``, ``closeAllHandles()`` and ``close()``
    /// know only what Swift code has made; the owner's handles, and the loop's `data`, are left alone.
    ///
    /// When Swift is to leave, call ``close()`` and let the loop turn once more: until then the owner's `uv_loop_close` answers EBUSY. A
    /// `Loop` that is dropped without a close leaves some memory behind, and its open handles on the loop. Do not close it after the
    /// owner has closed the loop. The owner must not `uv_close` handles of Swift's that it finds by `uv_walk`.
    ///
    /// As the first loop of a process, it ignores SIGPIPE if nobody handles it, and fills descriptors 0 to 2 that are closed.
    ///
    /// - Parameter loop: The address of an initialized `uv_loop_t`: an `UnsafeMutablePointer<uv_loop_t>` can be passed as it is.
    ///   It must stay valid until the turn after ``close()``.
    /// - Throws: ``UVError`` with `.resourceBusy` for a loop that is adopted already, or is a ``Loop`` anyway; `.notSupported` when
    ///   the libuv of the process has another idea of a loop's size than the one that this library was built with.
    ///
    /// Calls `uv_loop_size`.
    @unsafe
    @available(*, noasync, message: "it belongs to the thread that runs the loop, which async code may have left")
    public convenience init(adopting loop: UnsafeMutableRawPointer) throws(UVError) {
        _ = ProcessSetup.once
        if unsafe uv_loop_size() != MemoryLayout<uv_loop_t>.size {
            throw UVError(.notSupported, in: "adoption", of: "a loop of another version of libuv")
        }
        if unsafe ProcessExit.knows(loop) {
            throw UVError(.resourceBusy, in: "adoption", of: "a loop that belongs to Swift code already")
        }
        unsafe self.init(raw: loop.assumingMemoryBound(to: uv_loop_t.self), ownsMemory: false, isAdopted: true)
        if Loop.current == nil { takeSlot() }
    }

    /// Lends the `uv_loop_t` to C code, so that C libraries for libuv can run on this loop.
    ///
    /// ```swift
    /// try loop.withUnsafeLoop { unsafe redisLibuvAttach(context, $0.assumingMemoryBound(to: uv_loop_t.self)) }
    /// ```
    ///
    /// The C code may keep the address until the loop is closed, use it on the loop's thread, have handles and requests there, and
    /// use the loop's `data`. It must close its handles itself: as long as some are open, ``close()`` throws `.resourceBusy`. It must
    /// not run, stop or close the loop.
    ///
    /// On the loop of an `EventLoop` the callbacks of the C code may start and resume tasks, which run before the loop waits again.
    ///
    /// - Throws: What the body throws, ``UVError`` with `.badFileDescriptor` when the loop is closed.
    @unsafe
    public func withUnsafeLoop<Result>(_ body: (UnsafeMutableRawPointer) throws -> Result) throws -> Result {
        checkThread("Loop")
        guard isUsable else { throw UVError(.badFileDescriptor, in: "withUnsafeLoop", of: "a closed loop") }
        beforeLendingToC?()
        return unsafe try body(UnsafeMutableRawPointer(raw))
    }

    /// Whether ``run(_:)`` is at work on the calling thread.
    package static var isRunningHere: Bool { current?.isRunning ?? false }
}
