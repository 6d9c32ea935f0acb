import UV

/// Writes a lot, but waits whenever a write is queued.
final class PoliteWriter {
    private let stream: StreamHandle
    private let scene: Scene
    private let chunk = [UInt8](repeating: 7, count: 65_536)
    private var left: Int
    private(set) var waits = 0
    private(set) var mostWaiting = 0

    init(_ stream: StreamHandle, in scene: Scene, total: Int) {
        self.stream = stream
        self.scene = scene
        left = total
    }

    /// Writes until the system has enough; goes on by itself when it wants more.
    func start() throws {
        while left > 0 {
            left -= chunk.count
            let outcome = try stream.write(chunk) { [self] _, error in
                scene.attempt {
                    if let error { throw error }
                    try start()
                }
            }
            mostWaiting = max(mostWaiting, stream.writeQueueSize)
            if outcome == .queued {
                waits += 1
                return
            }
        }
        stream.closeAfterWrites()
    }
}
