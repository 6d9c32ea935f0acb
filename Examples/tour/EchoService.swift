import UV

/// An echo server for a step.
struct EchoService {
    private let scene: Scene

    init(in scene: Scene) { self.scene = scene }

    /// Serves on a free port until the step ends.
    ///
    /// - Returns: Where.
    func start() throws -> SocketAddress {
        let server = try TCPHandle(on: scene.loop)
        try server.bind(to: SocketAddress(host: "127.0.0.1", port: 0))
        try server.listen { [self] _, connection in
            scene.attempt { try echo(connection.get()) }
        }
        return try server.localAddress
    }

    private func echo(_ client: TCPHandle) throws {
        try client.startReading(
            onBytes: { client, bytes in
                scene.attempt {
                    let outcome = try client.write(bytes) { client, _ in client.resumeReading() }
                    if outcome == .queued { client.stopReading() }
                }
            },
            onEnd: { client, _ in client.closeAfterWrites() })
    }
}
