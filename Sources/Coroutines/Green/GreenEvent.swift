internal import AsyncUV

/// Something that has happened or not; green tasks wait for it.
@GreenActor
public final class GreenEvent {
    /// Whether it has happened.
    public private(set) var isSet = false
    private let waiting = GreenWaiters()

    /// An event that has not happened yet.
    public nonisolated init() {}

    /// Lets all who wait go on, and those who come later.
    public func set() {
        isSet = true
        waiting.wakeAll()
    }

    /// Makes those who come from now on wait.
    public func clear() { isSet = false }

    /// Waits until it has happened.
    ///
    /// - Returns: False when the time was over first.
    /// - Throws: `CancellationError` when the task is killed, or was.
    @discardableResult
    public func wait(timeout: Duration? = nil) async throws -> Bool {
        try Task.checkCancellation()
        if isSet { return true }
        return try await waiting.wait(at: waiting.join(), until: timeout.map { .now.advanced(by: $0) })
    }
}
