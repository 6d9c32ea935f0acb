import AsyncUV
import Synchronization

/// A server of lines on somebody else's loop.
final class Service: Sendable {
    let loop: EventLoop
    /// Asked by C when the loop has ended, too.
    let lines = Atomic(0)

    init(on loop: EventLoop) { self.loop = loop }

    func serve(_ listening: @Sendable (CInt) -> Void) async throws {
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        listening(CInt(listener.localAddress.port))
        try await listener.serve { [self] connection in
            for try await line in connection.lines() {
                lines.add(1, ordering: .relaxed)
                try await connection.write("\(line.uppercased())\n")
            }
        }
    }
}
