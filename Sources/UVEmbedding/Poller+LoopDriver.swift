public import Readiness

/// A loop driven by a poller of `Readiness`: epoll, poll or select.
extension Poller where Self: ~Copyable {
    /// Watches a loop, which gets its turns from ``wait(upTo:driving:into:)``.
    ///
    /// - Throws: `SystemError` as ``Readiness/Poller/add(_:_:)``, ``UVError`` with `.resourceBusy` when an adapter has the loop.
    public mutating func add(_ driver: LoopDriver) throws {
        try driver.attach(to: "a poller")
        do { try add(driver.descriptor.rawValue, .readable) } catch {
            driver.detach()
            throw error
        }
    }

    /// Stops watching a loop. If it is not watched this does nothing.
    public mutating func remove(_ driver: LoopDriver) throws(SystemError) {
        guard driver.isAttached else { return }
        driver.detach()
        try remove(driver.descriptor.rawValue)
    }

    /// Waits until something is ready or the loop has something to do, at most `timeout`, and gives the loop a turn then.
    ///
    /// Returns early, with no events, when only the loop had something to do. In a turn of the same loop it waits for the other descriptors
    /// only. When the loop has ended it is removed.
    ///
    /// - Parameter events: Replaced by what is ready, without the loop.
    public mutating func wait(
        upTo timeout: Duration? = nil, driving driver: LoopDriver, into events: inout [ReadyEvent]
    ) throws(SystemError) {
        let descriptor = driver.descriptor.rawValue
        if driver.hasEnded || driver.isTurning {
            let isWatched = driver.isAttached
            if isWatched { try modify(descriptor, []) }
            try wait(upTo: timeout, into: &events)
            if isWatched { try modify(descriptor, .readable) }
            return
        }
        let own = driver.timeout
        let isOwnSooner = if let own, let timeout { own <= timeout } else { own != nil }
        try wait(upTo: isOwnSooner ? own : timeout, into: &events)
        let count = events.count
        events.removeAll { $0.descriptor == descriptor }
        if events.count < count || driver.timeout == .zero { driver.turn() }
        if driver.hasEnded { try remove(driver) }
    }
}
