public import Readiness

/// A loop driven by a poller of `Readiness`: epoll, poll or select.
///
/// ```swift
/// try poller.add(driver)
/// while !driver.hasEnded {
///     if try poller.wait(driving: driver, into: &events) { driver.turn() }
///     for event in events { … }
/// }
/// try poller.remove(driver)
/// ```
extension Poller where Self: ~Copyable {
    /// Watches a loop, for ``wait(upTo:driving:into:)``.
    ///
    /// - Throws: `SystemError` as ``Readiness/Poller/add(_:_:)``, ``UV/UVError`` with `.resourceBusy` when an adapter
    ///   has the loop.
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

    /// Waits until something is ready or the loop has something to do, at most `timeout`.
    ///
    /// In a turn of the same loop, and after its end, it waits for the other descriptors only.
    ///
    /// - Parameter events: Replaced by what is ready, without the loop.
    /// - Returns: Whether the loop has something to do: call its driver's ``LoopDriver/turn()`` then. The poller does
    ///   not, so that code of the loop may use the poller.
    public mutating func wait(
        upTo timeout: Duration? = nil, driving driver: LoopDriver, into events: inout [ReadyEvent]
    ) throws(SystemError) -> Bool {
        let descriptor = driver.descriptor.rawValue
        if driver.hasEnded || driver.isTurning {
            // Else the loop's descriptor would end each wait at once.
            let isWatched = driver.isAttached
            if isWatched { try modify(descriptor, []) }
            try wait(upTo: timeout, into: &events)
            if isWatched { try modify(descriptor, .readable) }
            return false
        }
        let own = driver.timeout
        let isOwnSooner = if let own, let timeout { own <= timeout } else { own != nil }
        try wait(upTo: isOwnSooner ? own : timeout, into: &events)
        let count = events.count
        events.removeAll { $0.descriptor == descriptor }
        return events.count < count || driver.timeout == .zero
    }
}
