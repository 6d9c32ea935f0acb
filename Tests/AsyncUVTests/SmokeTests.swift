import AsyncUV
import TestSupport
import Testing

@Suite(.ownThread, .timeLimit(.minutes(1))) struct SmokeTests {
    @Test func echoOnOneLoop() throws {
        let (echoed, counters) = try EventLoop.run { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let serving = loop.spawn {
                try await listener.serve { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            let client = try await TCPConnection.connect(host: "127.0.0.1", port: listener.localAddress.port)
            var echoed: [UInt8] = []
            for index in 0..<10_000 {
                try await client.write([UInt8(truncatingIfNeeded: index)])
                echoed += try await client.read(exactly: 1)
            }
            try await client.finishWriting()
            #expect(try await client.read() == nil)
            await listener.close()
            try await serving.value
            return (echoed, try await loop.counters)
        }
        #expect(echoed == (0..<10_000).map { UInt8(truncatingIfNeeded: $0) })
        print(counters)
    }

    @Test func sleepIsCancelled() throws {
        try EventLoop.run { loop in
            let task = loop.spawn { try await loop.sleep(for: .seconds(1_000)) }
            try await loop.sleep(for: .milliseconds(5))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func timeout() throws {
        try EventLoop.run { loop in
            await #expect(throws: UVError(.timedOut, in: "")) {
                try await withTimeout(.milliseconds(5)) { try await loop.sleep(for: .seconds(100)) }
            }
        }
    }

    @Test func ownThreadAndShutdown() async throws {
        let loop = try EventLoop()
        let task = loop.spawn { try await loop.sleep(for: .seconds(1_000)) }
        let value = try await loop.withLoop { $0.now }
        #expect(value > .zero)
        await loop.shutdown()
        await #expect(throws: UVError(.canceled, in: "")) { try await task.value }
        await #expect(throws: UVError(.canceled, in: "")) { try await loop.sleep(for: .seconds(1)) }
    }
}
