internal import CReadiness

/// Ends the wait of a poller from any thread. Copies wake the same poller.
///
/// A wake-up is not lost when it comes before the wait: then the next wait returns at once. Several before one wait
/// are one. Waking a poller that is gone does nothing: the descriptor behind it lives as long as its last holder,
/// so its number cannot belong to something else.
public struct Waker: Sendable {
    private let event: EventDescriptor

    init() throws(SystemError) { event = try EventDescriptor() }

    /// Ends the current wait, or the next one. Never blocks.
    public func wake() { event.signal() }

    /// What the poller watches.
    var descriptor: CInt { event.descriptor }

    /// Forgets the wake-ups that have come.
    func drain() { event.take() }
}
