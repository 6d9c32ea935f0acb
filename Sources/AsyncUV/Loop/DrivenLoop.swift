package import UV

/// An ``EventLoop`` without a thread: a foreign loop makes its turns, on the thread that has its ``loop`` then.
///
/// Between two turns nobody is on the loop, so that what others enqueue goes through the inbox, which makes the
/// loop's descriptor readable. That includes code of the foreign loop on the same thread.
package final class DrivenLoop {
    private enum Stage { case running, ending, closing, over }

    package let eventLoop: EventLoop
    package var loop: Loop { core.loop }
    private let core: LoopCore
    private var stage = Stage.running
    private var stops = 0

    /// - Parameter servesMainActor: Whether the turns run the main actor's code, if this is the main thread.
    package init(label: String?, servesMainActor: Bool) throws(UVError) {
        core = try LoopCore()
        eventLoop = EventLoop(
            LoopBound(core), LoopBound(core.jobs), core.jobInbox, core.gauges, thread: EventLoop.currentThread,
            label: label)
        do throws(UVError) {
            try core.attach(to: eventLoop)
            if servesMainActor { try core.serveMainQueue() }
        } catch {
            try? core.end()
            throw error
        }
        leave()
    }

    /// Whether the loop has begun to end.
    package var isEnding: Bool { stage != .running }

    /// Leaves the main queue to somebody else. On the loop's thread, between two turns.
    package func leaveMainQueue() {
        core.mainQueue?.close()
        core.mainQueue = nil
    }

    /// Makes one turn that does not wait. After `shutdown` the turns close everything; none of them waits either.
    ///
    /// - Returns: Whether the loop is to be finished now.
    package func turn() throws(UVError) -> Bool {
        comeIn()
        defer { leave() }
        if stage == .closing { core.closeUserHandles() }
        let isAlive = try loop.turn()
        switch stage {
        case .running:
            guard loop.stops != stops else { break }
            stops = loop.stops
            core.beginEnd()
            stage = .ending
        case .ending:
            core.endOwnHandles()
            stage = .closing
        case .closing: return !isAlive
        case .over: return false
        }
        return false
    }

    /// Ends the loop, in whatever stage it is: it waits for operations on files that have begun. Nobody drives the
    /// loop any more.
    package func finish() throws(UVError) {
        guard stage != .over else { return }
        comeIn()
        defer { leave() }
        if stage == .closing { try core.finishEnd() } else { try core.end() }
        stage = .over
        eventLoop.ending.finish()
    }

    private func comeIn() {
        eventLoop.takeThread()
        eventLoop.ending.runBegins()
        core.meter.comesBack()
    }

    private func leave() {
        core.meter.leaves()
        eventLoop.ending.runEnds()
        eventLoop.leaveThread()
    }
}
