import UV

/// Reads a little, rests, reads on.
final class SlowReader {
    private static let appetite = 1 << 20
    private static let rest = Duration.milliseconds(20)

    private let stream: StreamHandle
    private let scene: Scene
    private let timer: TimerHandle
    private let onProgress: (Int) -> Void
    private var sinceRest = 0
    private(set) var received = 0
    private(set) var rests = 0

    init(_ stream: StreamHandle, in scene: Scene, onProgress: @escaping (Int) -> Void) throws {
        self.stream = stream
        self.scene = scene
        self.onProgress = onProgress
        timer = try TimerHandle(on: scene.loop)
    }

    func start() throws {
        try stream.startReading(
            onBytes: { [self] _, bytes in
                received += bytes.count
                sinceRest += bytes.count
                if sinceRest >= Self.appetite { scene.attempt { try rest() } }
            },
            onEnd: { [self] stream, error in
                if let error { return scene.fail(error) }
                onProgress(received)
                stream.close()
            })
    }

    private func rest() throws {
        sinceRest = 0
        rests += 1
        onProgress(received)
        stream.stopReading()
        try timer.start(after: Self.rest) { [self] _ in stream.resumeReading() }
    }
}
