import AsyncUV

/// A device on the network, say: a server that sends its readings, a line each.
struct Thermometer {
    private let listener: TCPListener
    private let serving: Task<Void, any Error>

    static func start(on loop: EventLoop) async throws -> Self {
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        let serving = loop.spawn {
            try await listener.serve { connection in
                var ticks = loop.ticks(every: .milliseconds(5)).makeAsyncIterator()
                for reading in 0..<50 {
                    _ = try await ticks.next()
                    try await connection.write(Array("\(20 + Double(reading) / 10)\n".utf8))
                }
            }
        }
        return Self(listener: listener, serving: serving)
    }

    var address: SocketAddress { listener.localAddress }

    func stop() async throws {
        await listener.close()
        try await serving.value
    }
}
