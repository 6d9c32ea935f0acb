/// How the calls of tasks share the turns of their loop.
extension EventLoop {
    /// Lets all jobs run that are there now, then goes on, in a cancelled task too.
    ///
    /// Like `Task.yield()`, but one entry in the queue instead of four jobs when called from an actor: off the actor, away,
    /// back, onto the actor. Not inlined, so that sleeping tasks do not carry its frame.
    @inline(never)
    func giveWay() async {
        guard hostsCurrentTask else { return await Task.yield() }
        try? await Suspension.wait { keepPlace($0) }
    }

    /// Resumes a task behind the jobs that are there now; at once when the loop has ended meanwhile.
    func keepPlace(_ task: Suspension<Void>) {
        if isCurrent { return jobs.lend(on: self) { $0.append(.place(task)) } }
        var task = task
        task.resume(returning: ())
    }

    /// Charges something done at once, on the loop's thread: see ``LoopCore/charge(_:)``.
    @inline(__always)
    func charge(_ cost: Int) -> Bool { core.lend(on: self) { $0.charge(cost) } }

    /// Returns bytes that were in memory already; the caller gives way first when the turn has had enough. They are its own
    /// even if it is cancelled.
    @inline(__always)
    func pass(_ bytes: [UInt8]?) async -> [UInt8]? {
        if charge(Cost.memory + (bytes?.count ?? 0)) { await giveWay() }
        return bytes
    }

    /// Charges one element of a sequence that had it already, and gives way when the turn has had enough. For a caller on
    /// another thread nothing is charged: whatever makes its elements has just taken it to the loop and back.
    ///
    /// - Throws: `CancellationError`: elements that are there would keep a cancelled reader going.
    func pace() async throws {
        try checkCancellation()
        if isCurrent, charge(Cost.memory) { await giveWay() }
    }
}

/// What calls that are done at once cost the turn of their loop, in bytes: the time that copying these would take, about.
enum Cost {
    /// Something that is in this process's memory already.
    static let memory = 1_024
    /// A system call, besides its bytes.
    static let systemCall = 4_096
}
