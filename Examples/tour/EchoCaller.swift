import UV

/// A client that sends a message, waits until it is back, and sends the next.
final class EchoCaller {
    private let scene: Scene
    private let message: [UInt8]
    private let onDone: () -> Void
    private var messagesLeft: Int
    private var answer: [UInt8] = []

    init(in scene: Scene, messages: Int, size: Int, onDone: @escaping () -> Void) {
        self.scene = scene
        self.onDone = onDone
        messagesLeft = messages
        message = (0..<size).map { _ in .random(in: 0...255) }
    }

    func call(_ address: SocketAddress) throws {
        try TCPHandle(on: scene.loop).connect(to: address) { [self] client, error in
            scene.attempt {
                if let error { throw error }
                try client.startReading(
                    onBytes: { [self] client, bytes in scene.attempt { try answered(bytes, client) } },
                    onEnd: { [self] _, error in scene.fail(error ?? UVError(.endOfFile, in: "read")) })
                try client.write(message)
            }
        }
    }

    private func answered(_ bytes: Span<UInt8>, _ client: StreamHandle) throws {
        answer.append(copying: bytes)
        guard answer.count >= message.count else { return }
        guard answer == message else { throw Surprise("an answer differs from its message") }
        answer.removeAll(keepingCapacity: true)
        messagesLeft -= 1
        if messagesLeft > 0 {
            try client.write(message)
        } else {
            client.close()
            onDone()
        }
    }
}
