import AsyncUV
import TestSupport
import Testing
import UV

/// Proxies: `copy(to:)`; and N4, readers slower than their writers.
@Suite(.ownThread) struct CopyTests {
    @Test func proxy() throws {
        try onLoop { loop in
            let server = try await EchoServer(on: loop)
            let proxy = try await TCPListener.onLoopback()
            let proxying = loop.spawn {
                try await proxy.serve { near in
                    let far = try await server.connect()
                    async let forth = near.copy(to: far)
                    async let back = far.copy(to: near)
                    #expect(try await forth == 5_000_000)
                    #expect(try await back == 5_000_000)
                    await far.close()
                }
            }
            let client = try await TCPConnection.connect(to: proxy)
            let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            async let answer = client.readToEnd()
            try await client.write(bytes)
            try await client.finishWriting()
            #expect(try await answer == bytes)
            await client.close()
            await proxy.close()
            try await proxying.value
            try await server.end()
        }
    }

    @Test("Both ways at once: a side that finishes first still listens")
    func relay() throws {
        try onLoop { loop in
            let server = try await EchoServer(on: loop)
            let (near, client) = try await connectedPair()
            let far = try await server.connect()
            let forth = Shared(0)
            let back = Shared(0)
            let relaying = loop.spawn {
                try await near.relay(
                    with: far, onCopied: { count in forth.change { $0 += count } },
                    onCopiedBack: { count in back.change { $0 += count } })
            }
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            async let answer = client.readToEnd()
            try await client.write(bytes)
            try await client.finishWriting()
            #expect(try await answer == bytes)
            try await relaying.value
            #expect(forth.value == bytes.count && back.value == bytes.count)
            await far.close()
            try await server.end()
        }
    }

    @Test("An error of one way, or a cancellation, ends both")
    func relayEnds() throws {
        try onLoop { loop in
            for isReset in [true, false] {
                let (near, client) = try await connectedPair()
                let (far, server) = try await connectedPair()
                let relaying = loop.spawn { try await near.relay(with: far) }
                try await client.write([1])
                #expect(try await server.read() == [1])
                if isReset { await client.closeWithReset() } else { relaying.cancel() }
                let error = await failure(of: relaying)
                #expect(isReset ? code(of: error) == .connectionReset : error is CancellationError)
                for connection in [near, far, client, server] { await connection.close() }
            }
        }
    }

    @Test func copyEndsWithTheErrorOfEitherSide() throws {
        try onLoop { loop in
            let (source, feeder) = try await connectedPair()
            let (sink, drain) = try await connectedPair()
            let copying = loop.spawn { try await source.copy(to: sink) }
            try await feeder.write([1])
            #expect(try await drain.read() == [1])
            await feeder.closeWithReset()
            #expect(code(of: await failure(of: copying)) == .connectionReset)
        }
    }

    @Test("C1: a cancelled copy")
    func cancelledCopy() throws {
        try onLoop { loop in
            let (source, feeder) = try await connectedPair()
            let (sink, drain) = try await connectedPair()
            let copying = loop.spawn { try await source.copy(to: sink) }
            try await loop.waitUntilIdle()
            copying.cancel()
            #expect(await failure(of: copying) is CancellationError)
            withExtendedLifetime((feeder, drain)) {}
        }
    }

    @Test("N4: a slow reader behind a proxy: writer and proxy wait, memory stays bounded, all bytes arrive")
    func slowReader() throws {
        try onLoop { loop in
            let (source, feeder) = try await connectedPair()
            let (sink, drain) = try await connectedPair()
            let total = 256 << 20
            let written = Shared(0)
            let writing = loop.spawn {
                let chunk = [UInt8](repeating: 3, count: 1 << 20)
                while written.value < total {
                    try await feeder.write(chunk)
                    written.change { $0 += chunk.count }
                }
                try await feeder.finishWriting()
            }
            let copying = loop.spawn { try await source.copy(to: sink) }
            try await loop.waitUntilIdle()
            #expect(written.value < total / 2, "the writer is suspended")
            let queued = try await feeder.withHandle { $0.writeQueueSize } + sink.withHandle { $0.writeQueueSize }
            #expect(queued <= 2 << 20)
            let (near, far) = try await connectedPair()
            try await near.write([1])
            #expect(try await far.read() == [1], "others are served")
            var count = 0
            for try await chunk in drain { count += chunk.count }
            #expect(count == total)
            #expect(try await copying.value == total)
            try await writing.value
        }
    }
}
