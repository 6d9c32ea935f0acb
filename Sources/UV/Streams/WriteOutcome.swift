/// What became of a write that was not refused.
public enum WriteOutcome: Sendable {
    /// The system has every byte. `onDone` was dropped.
    case sent
    /// Bytes wait in the handle, which owns them; `onDone` will be called once. Slow down.
    case queued
}
