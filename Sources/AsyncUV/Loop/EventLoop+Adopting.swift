public import UV

extension EventLoop {
    /// Adopts a loop that a C program owns and runs, so that async code runs there, in turns of the owner's.
    ///
    /// ```swift
    /// @_cdecl("plugin_start")
    /// public func start(_ raw: UnsafeMutableRawPointer) -> CInt {
    ///     guard let loop = try? unsafe EventLoop(adopting: raw) else { return -1 }
    ///     loop.spawn(onError: report) { try await serve() }
    ///     return 0
    /// }
    /// ```
    ///
    /// To be called on the thread that runs the loop, before it runs or inside one of its callbacks. From then on the loop is
    /// ``current`` on that thread, in the owner's callbacks too. A task that they start runs before the loop waits again.
    ///
    /// The loop stays alive until ``shutdown(grace:)``, which takes some turns of the owner's: call it, in a task, and let the owner's
    /// `uv_run` return by itself. Then the loop is the owner's alone, who may close it. The owner's handles are left alone. If the owner
    /// stops running the loop without that, tasks that wait there wait for ever.
    ///
    /// - Parameters:
    ///   - raw: The address of an initialized `uv_loop_t`: an `UnsafeMutablePointer<uv_loop_t>` can be passed as it is.
    ///   - label: A name of your own, for the loop's description.
    /// - Throws: ``UVError`` with `.resourceBusy` for a loop that is adopted already, `.notSupported` for one of another version of
    ///   libuv, `.tooManyOpenFiles`.
    @unsafe
    @available(*, noasync, message: "it belongs to the thread that runs the loop, which async code may have left")
    public convenience init(adopting raw: UnsafeMutableRawPointer, label: String? = nil) throws(UVError) {
        let loop = unsafe try Loop(adopting: raw)
        let core: LoopCore
        do throws(UVError) { core = try LoopCore(on: loop) } catch {
            try? loop.closeAllHandles()
            try? loop.close()
            throw error
        }
        self.init(
            LoopBound(core), LoopBound(core.jobs), core.jobInbox, core.gauges, thread: Self.currentThread, label: label)
        try core.attach(to: self)
    }
}
