/// How the calls of tasks share the turns of their loop.
extension EventLoop {
    /// Lets all jobs run that are there now, then goes on, in a cancelled task too.
    ///
    /// Like `Task.yield()`, but one entry in the queue instead of four jobs when called from an actor: off the actor, away,
    /// back, onto the actor. Not inlined, so that sleeping tasks do not carry its frame.
    @inline(never)
    func giveWay() async {
        guard hostsCurrentTask else { return await Task.yield() }
        await unsafe RuntimeShortcuts.suspend { (place: UnsafeContinuation<Void, Never>) in
            if isCurrent { jobs.lend(on: self) { unsafe $0.append(.place(place)) } } else { unsafe place.resume() }
        }
    }

    /// Resumes a task behind the jobs that are there now; at once when the loop has ended meanwhile.
    func keepPlace(_ task: Suspension<Void>) {
        if isCurrent { return jobs.lend(on: self) { $0.append(.wait(task)) } }
        var task = task
        task.resume(returning: ())
    }

    /// Charges something done at once, on the loop's thread: see ``LoopCore/charge(_:)``.
    @inline(__always)
    func charge(_ cost: Int) -> Bool { core.lend(on: self) { $0.charge(cost) } }

    /// Returns bytes that were in memory already. The caller gives way first when the turn has had enough, and gets the bytes
    /// even if it is cancelled meanwhile.
    @inline(__always)
    func pass(_ bytes: [UInt8]?) async -> [UInt8]? {
        if charge(Cost.memory + (bytes?.count ?? 0)) { await giveWay() }
        return bytes
    }

    /// Charges one element that a sequence had in memory, and gives way when the turn has had enough. A caller on another thread
    /// is not charged, because getting the element has just taken it to the loop and back.
    ///
    /// - Throws: `CancellationError`, because a reader whose elements are all in memory would not notice otherwise.
    func pace() async throws {
        if try hasEnough() { await giveWay() }
    }

    /// As ``pace()``, for a caller that gives way itself.
    ///
    /// - Returns: Whether the turn has had enough.
    @inline(__always)
    func hasEnough() throws -> Bool {
        try checkCancellation()
        return isCurrent && charge(Cost.memory)
    }
}

/// What calls that are done at once cost the turn of their loop, in bytes: the time that copying these would take, about.
enum Cost {
    /// Something that is in this process's memory already.
    static let memory = 1_024
    /// A system call, besides its bytes.
    static let systemCall = 4_096
    /// Finding a file by its path, and opening it.
    static let opening = 16_384

    /// Sending bytes of a file that nobody copies: a turn may have 4 MiB of them, a third of a millisecond.
    static func sending(_ count: Int) -> Int { systemCall + count / 4 }
}
