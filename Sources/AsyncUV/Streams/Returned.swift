/// What few connections need: bytes that came and that no reader has taken yet, or that a reader has given back, and time limits.
final class Returned {
    /// The end of a read that came before its task was suspended.
    @exclusivity(unchecked) var early: Result<[UInt8]?, any Error>?
    @exclusivity(unchecked) var bytes = LineSplitter()
    /// The array of a reader that brought its own; what comes is appended to it.
    @exclusivity(unchecked) var room: [UInt8]?
    @exclusivity(unchecked) var clock: StreamClock?
}
