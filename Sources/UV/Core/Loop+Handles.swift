internal import CLibuv

extension Loop {
    /// The handles that have not finished closing, in the order of their creation, without those that C code has made on the
    /// loop. Calls `uv_walk`.
    public var handles: [Handle] { allHandles.filter { !$0.isInternal } }

    package var allHandles: [Handle] { walk().ours }

    /// How many handles C code has on the loop: see ``withUnsafeLoop(_:)``. Calls `uv_walk`.
    public var foreignHandleCount: Int { unsafe walk().foreign.count }

    /// Entries of a report for the handles that C code has on the loop, in the order of their creation.
    func foreignEntries() -> [AliveReport.Entry] { unsafe walk().foreign.map { AliveReport.Entry(ofC: $0) } }

    /// For errors: what C code keeps open.
    package var foreignHandlesText: String {
        let entries = foreignEntries()
        let count = entries.count == 1 ? "1 open handle" : "\(entries.count) open handles"
        return "a loop with \(count) of C code: \(Self.list(entries))"
    }

    /// What is on a loop.
    @safe
    fileprivate struct Found {
        var ours: [Handle] = []
        var foreign: [UnsafeMutablePointer<uv_handle_t>] = unsafe []
    }

    private func walk() -> Found {
        checkThread("Loop")
        var found = Found()
        guard !isClosed else { return found }
        unsafe withUnsafeMutablePointer(to: &found) { unsafe uv_walk(raw, collectHandle, $0) }
        return found
    }

    /// Closes every handle: the next ``run(_:)`` ends what is pending and returns. For a loop that is to be dropped. What C code
    /// has made on the loop stays open.
    ///
    /// - Throws: ``UVError`` with `.notPermitted` on a loop that an `EventLoop` has lent.
    public func closeAllHandles() throws(UVError) {
        try checkNotLent("closeAllHandles")
        endings += 1
        for handle in handles { handle.close() }
    }
}

private func collectHandle(_ raw: UnsafeMutablePointer<uv_handle_t>?, _ context: UnsafeMutableRawPointer?) {
    guard let raw = unsafe raw, let context = unsafe context else { return }
    let found = unsafe context.assumingMemoryBound(to: Loop.Found.self)
    if unsafe clibuv_is_marked(raw) != 0 {
        unsafe found.pointee.ours.append(unsafe Handle.owner(of: raw))
    } else {
        unsafe found.pointee.foreign.append(raw)
    }
}
