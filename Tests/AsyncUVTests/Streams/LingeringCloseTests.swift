import AsyncUV
import SystemPackage
import TestSupport
import Testing

/// Early answers: a side that closes while the other still sends.
@Suite(.ownThread) struct LingeringCloseTests {
    private static let answer = [UInt8]("too large, go away\n".utf8)

    @Test("N2: a handler that answers before it has read all, and returns: every client gets the answer, none a reset")
    func earlyAnswers() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn {
                try await listener.serve { connection in
                    _ = try await connection.read(exactly: 1)
                    try await connection.write(Self.answer)
                }
            }
            let port = listener.localAddress.port
            let clients = (0..<50).map { _ in
                loop.spawn {
                    try await onThread {
                        let client = try FileDescriptor.tcpConnection(toPort: port)
                        defer { try? client.close() }
                        for _ in 0..<20 { try client.writeAll([UInt8](repeating: 1, count: 10_000)) }
                        return try client.readToEnd()
                    }
                }
            }
            for client in clients { #expect(try await client.value == Self.answer) }
            await listener.close()
            try await serving.value
        }
    }

    @Test("N2: close does it too, and is done at once", arguments: [true, false])
    func close(byDrop: Bool) throws {
        try onLoop { loop in
            let pair = Shared(try await plainPeerPair() as (TCPConnection, FileDescriptor)?)
            let peer = try #require(pair.value?.1)
            try peer.writeAll([1, 2, 3])
            try await pair.value?.0.write(Self.answer)
            if !byDrop {
                await pair.value?.0.close()
                await expectError(.badFileDescriptor) { try await pair.value?.0.write([1]) }
            }
            pair.value = nil
            try peer.writeAll([UInt8](repeating: 1, count: 1_000_000))
            #expect(try await onThread { try peer.readToEnd() } == Self.answer)
            try peer.close()
        }
    }

    @Test("serve ends when its last client has had its answer; until then the connection has its seat")
    func serveWaits() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let handled = Shared(0)
            let serving = loop.spawn {
                try await listener.serve(maxConnections: 1) {
                    handled.change { $0 += 1 }
                    try await $0.write(Self.answer)
                }
            }
            let first = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
            #expect(try await onThread { try first.readToEnd() } == Self.answer)
            let second = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
            try await loop.waitUntilIdle()
            #expect(handled.value == 1)
            try first.close()
            #expect(try await onThread { try second.readToEnd() } == Self.answer)
            try second.close()
            await listener.close()
            try await serving.value
            #expect(handled.value == 2)
        }
    }

    @Test("A cancelled serve waits for no client")
    func cancelled() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let serving = loop.spawn { try await listener.serve { try await $0.write(Self.answer) } }
            let client = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
            #expect(try await onThread { try client.read(upTo: 1_000) } == Self.answer)
            serving.cancel()
            #expect(await failure(of: serving) is CancellationError)
            try client.close()
            await listener.close()
        }
    }
}
