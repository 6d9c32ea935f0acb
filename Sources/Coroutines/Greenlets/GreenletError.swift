/// What can be wrong with a switch between greenlets.
public enum GreenletError: Error, Hashable, Sendable {
    /// The caller is not the greenlet that is to give way: that one does not run, or another task asks for it.
    case notRunning
    /// The target has ended.
    case dead
    /// The target was never given a body.
    case noBody
    /// The target belongs to another ``Greenlet/run(on:_:)``.
    case stranger
    /// Thrown into greenlets that are left when ``Greenlet/run(on:_:)`` ends.
    case ended
}

extension GreenletError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notRunning: "a greenlet gives way only while it runs, and only by itself"
        case .dead: "the greenlet to switch to is dead"
        case .noBody: "the greenlet to switch to has no body"
        case .stranger: "the greenlet to switch to belongs to another run"
        case .ended: "the greenlets' run has ended"
        }
    }
}
