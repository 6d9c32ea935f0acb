/// The messages that wait for one client, oldest first.
///
/// It has a limit: while it is full its client is not read from, so a client that sends and does not read fills its own
/// buffers, not our memory.
struct MessageQueue {
    private var messages: [[UInt8]] = []
    private var sent = 0  // of the first message

    var isEmpty: Bool { messages.isEmpty }
    var isFull: Bool { messages.count >= 16 }

    mutating func put(_ message: [UInt8]) { messages.append(message) }

    /// What is left of the first message.
    var next: ArraySlice<UInt8> { messages[0][sent...] }

    /// Forgets so many bytes of the first message: the kernel may take a part.
    mutating func didSend(_ count: Int) {
        sent += count
        if sent == messages[0].count {
            messages.removeFirst()
            sent = 0
        }
    }
}
