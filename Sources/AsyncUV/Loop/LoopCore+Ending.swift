internal import UV

extension LoopCore {
    var own: [Handle] {
        [wakeup, idle, prepare] + [sleeps.handle, preciseSleeps.handle, ending].compactMap { $0 }
    }

    func closeUserHandles() {
        for handle in loop.handles { handle.close() }
    }

    /// Ends the loop: makes its thread leave ``UV/Loop/run(_:)``, or ends it in the turns of its owner.
    func stop() {
        isStopped = true
        if loop.isAdopted { endInOwnersTurns() } else { loop.endRun() }
    }

    /// Ends all operations, closes everything, and leaves the thread. Jobs that come later run in `lateJobs`.
    ///
    /// - Throws: ``UVError`` with `.resourceBusy` when C code has handles on the loop: it stays as it is, for ever.
    func end() throws(UVError) {
        guard let owner else { return }
        beginEnd()
        try loop.run(.noWait)
        endOwnHandles()
        let slow = try reportIfSlow(owner)
        repeat { closeUserHandles() } while try loop.run(.once) && isBusy(besides: own.count + 1)
        slow.close()
        try finishEnd()
    }

    // The steps of `end`, for a loop that another loop drives: it must not wait in one of them.

    /// The first step, before a turn: tasks that were just resumed get it while their handles are open. If there are very many,
    /// only some run here; the rest run in `lateJobs`.
    func beginEnd() {
        guard let owner else { return }
        isEnding = true
        owner.ending.noteProgress()
        waits.giveUpAll { owner.ended($0) }
        servers.closeListeners()
        mainQueue?.close()
        closeUserHandles()
        keepTurning(true)
    }

    /// The second step: from now on only what others have begun keeps the loop alive. ``closeUserHandles()`` and a turn follow until
    /// nothing does.
    func endOwnHandles() {
        for handle in own { handle.keepsLoopAlive = false }
    }

    /// The last step.
    func finishEnd() throws(UVError) {
        guard let owner else { return }
        leave(owner)
        // In a loop, because a late `shutdown()` may have stopped the loop, and a stopped loop returns before its first turn.
        while try loop.run(.once), isBusy(besides: 0) {}
        loop.isLent = false
        forgetOwner(owner)
        if loop.foreignHandleCount > 0 {
            let error = UVError(.resourceBusy, in: "shutdown", of: loop.foreignHandlesText)
            loop.abandon()
            throw error
        }
        try loop.close()
    }

    /// Whether the loop has more of ours than so many handles. A loop that is alive without is kept so by C code, which may go on for
    /// ever.
    private func isBusy(besides handles: Int) -> Bool {
        loop.foreignHandleCount == 0 || loop.hasRequests || loop.allHandles.count > handles
    }

    /// As ``end()``, on a loop that somebody else runs.
    private func endInOwnersTurns() {
        guard let owner, !isEnding else { return }
        beginEnd()
        do throws(UVError) {
            let ending = try TimerHandle(on: loop)
            ending.isInternal = true
            self.ending = ending
            try ending.start(after: .zero, every: .milliseconds(1)) { [unowned self] _ in
                closeUserHandles()
                if !loop.hasRequests, loop.allHandles.count == own.count { finishInOwnersTurn(owner) }
            }
        } catch { finishInOwnersTurn(owner) }
    }

    private func finishInOwnersTurn(_ owner: EventLoop) {
        leave(owner)
        loop.isLent = false
        try? loop.close()
        forgetOwner(owner)
        owner.ending.finish()
    }

    private func forgetOwner(_ owner: EventLoop) {
        loop.attachment = nil
        LivingLoops.remove(owner)
        self.owner = nil
    }

    /// Takes the executor off the loop; its own handles close in the next turn.
    private func leave(_ owner: EventLoop) {
        loop.beforeLendingToC = nil
        loop.whenWatched = nil
        let late = jobInbox.close()
        // Calls may use values that are bound to this thread, so they run before the loop leaves it.
        for call in late.calls { call() }
        makeCalls()
        owner.leaveThread()
        loop.afterEachCallback = nil
        for entry in late.jobs { owner.runLate(entry) }
        while let entry = jobs.popFirst() { owner.runLate(entry) }
        sleeps.close()
        preciseSleeps.close()
        gauges.timers.add(-gauges.timers.value)
        for handle in own { handle.close() }
        closeUserHandles()
    }
}
