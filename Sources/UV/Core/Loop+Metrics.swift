internal import CLibuv

extension Loop {
    /// What libuv has counted of a loop since its creation.
    public struct Metrics: Hashable, Sendable {
        /// Turns of the loop.
        public let turns: UInt64
        /// Events of descriptors that the kernel has told.
        public let events: UInt64
        /// Those of them that were there already when the loop asked: it was behind.
        public let waitingEvents: UInt64
    }

    /// The counters of libuv 1.45 or newer, if that is what runs; else `nil`, and of a closed loop.
    ///
    /// They come from libuv's `uv_metrics_info`.
    public var metrics: Metrics? {
        checkThread("Loop")
        var raw = uv_metrics_t()
        guard isUsable, unsafe clibuv_metrics(self.raw, &raw) != 0 else { return nil }
        return Metrics(turns: raw.loop_count, events: raw.events, waitingEvents: raw.events_waiting)
    }

    /// How many requests are under way: what the pool does, connects, writes that wait.
    package var requestCount: Int {
        checkThread("Loop")
        return unsafe isUsable ? Int(raw.pointee.active_reqs.count) : 0
    }

    /// libuv's own list of the loop's handles, a line each, for a person who looks for what keeps a loop alive: whether it
    /// is referenced (R), active (A) or internal (I), its kind and its address. Its form may differ between versions.
    ///
    /// ``handles`` are the same as objects, without those that libuv and this library keep for themselves.
    ///
    /// - Parameter onlyActive: Leaves out handles that wait for nothing.
    ///
    /// Calls `uv_print_all_handles`, `uv_print_active_handles`.
    public func handleList(onlyActive: Bool = false) -> String {
        checkThread("Loop")
        guard isUsable, let text = unsafe clibuv_handle_list(raw, onlyActive ? 1 : 0) else { return "" }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}
