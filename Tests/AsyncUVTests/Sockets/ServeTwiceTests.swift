import AsyncUV
import TestSupport
import Testing

/// Several calls of `serve` and `accept` on one listener.
@Suite(.ownThread) struct ServeTwiceTests {
    @Test func aCancelledCallLeavesItsConnectionsToTheOther() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback(on: loop)
            let served = Shared<[Int]>([])
            let calls = try await inOrder(0..<2, on: loop) { number in
                try await listener.serve { connection in
                    served.change { $0.append(number) }
                    try await connection.write([UInt8(number)])
                }
            }
            for expected in [0, 1, 0] as [UInt8] {
                let client = try await TCPConnection.connect(to: listener)
                #expect(try await client.readToEnd() == [expected])
            }
            try await loop.waitUntilIdle()
            calls[1].cancel()
            #expect(await failure(of: calls[1]) is CancellationError)
            for _ in 0..<3 {
                let client = try await TCPConnection.connect(to: listener)
                #expect(try await client.readToEnd() == [0])
            }
            #expect(served.value == [0, 1, 0, 0, 0, 0])
            await listener.close()
            try await calls[0].value
        }
    }

    @Test func acceptTakesBeforeServe() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback(on: loop)
            let serving = loop.spawn { try await listener.serve { try await $0.write([1]) } }
            try await loop.waitUntilIdle()
            let accepting = loop.spawn { try await listener.accept() }
            try await loop.waitUntilIdle()
            let client = try await TCPConnection.connect(to: listener)
            let accepted = try #require(try await accepting.value)
            try await accepted.write([2])
            await accepted.close()
            #expect(try await client.readToEnd() == [2])
            let other = try await TCPConnection.connect(to: listener)
            #expect(try await other.readToEnd() == [1])
            await listener.close()
            try await serving.value
        }
    }

    @Test func aLoopThatEndsEndsServing() async throws {
        let loop = try EventLoop()
        let listener = try await TCPListener.onLoopback(on: loop)
        let serving = loop.spawn { try await listener.serve { _ in } }
        try await loop.waitUntilIdle(waits: 1)
        await loop.shutdown()
        #expect(code(of: await failure(of: serving)) == .canceled)
    }
}
