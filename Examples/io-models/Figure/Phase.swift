/// What a thread does at a moment.
enum Phase: String, CaseIterable, Sendable {
    /// Asleep inside the very call that reads.
    case blocked
    /// Asleep in select, poll or epoll, which say when to read.
    case waiting
    /// In a call that answers "nothing yet".
    case asking
    /// In the call that brings the bytes over from the kernel.
    case copying
    /// At its own work.
    case free
}

/// A stretch of time, in nanoseconds since the start of the recording.
struct Segment: Sendable {
    let phase: Phase
    var start: Int64
    var end: Int64

    var length: Int64 { end - start }
}
