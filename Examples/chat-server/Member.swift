/// Somebody in the room, and the lines that wait to be sent to them: a bounded number.
final class Member: Sendable {
    let name: String
    /// The lines to send. Ends when there will be no more.
    let outbox: AsyncStream<String>
    private let lines: AsyncStream<String>.Continuation
    private let onDrop: @Sendable () -> Void

    /// - Parameter onDrop: Called when the room sends them away.
    init(_ name: String, backlog: Int, onDrop: @escaping @Sendable () -> Void) {
        self.name = name
        self.onDrop = onDrop
        (outbox, lines) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(backlog))
    }

    /// Queues a line.
    ///
    /// - Returns: False when too many wait already.
    @discardableResult
    func send(_ line: String) -> Bool {
        if case .dropped = lines.yield(line) { return false }
        return true
    }

    /// No more lines after those that wait.
    func finish() { lines.finish() }

    func drop() {
        finish()
        onDrop()
    }
}
