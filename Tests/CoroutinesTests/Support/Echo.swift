import AsyncUV

/// A client and its echo server, on the loop of the caller.
enum Echo {
    /// One message after the other, each answered before the next.
    static func roundTrips(_ count: Int) async throws -> Int {
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
        async let serving: Void = serve(listener)
        let connection = try await TCPConnection.connect(to: listener.localAddress)
        var answers = 0
        for number in 0..<count {
            try await connection.write([UInt8(number % 256)])
            if try await connection.read(exactly: 1) == [UInt8(number % 256)] { answers += 1 }
        }
        await connection.close()
        try await serving
        await listener.close()
        return answers
    }

    private static func serve(_ listener: TCPListener) async throws {
        guard let connection = try await listener.accept() else { return }
        while let chunk = try await connection.read() { try await connection.write(chunk) }
        await connection.close()
    }
}
