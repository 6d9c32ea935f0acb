import AsyncUV
import SystemPackage
import TestSupport
import Testing

/// A peer that reset the connection is gone; that is not "never connected".
@Suite(.ownThread) struct GonePeerTests {
    @Test("N1: finishWriting after the peer's reset, noticed or not", arguments: [true, false])
    func finishWriting(isNoticed: Bool) throws {
        try onLoop { _ in
            let (near, peer) = try await plainPeerPair()
            try peer.closeWithReset()
            if isNoticed { await expectError(.connectionReset) { try await near.read() } }
            let error = await #expect(throws: UVError.self) { try await near.finishWriting() }
            #expect(error?.description == "broken pipe (EPIPE) in finishWriting to \(near.remoteAddress)")
        }
    }

    @Test("N1: a reset that a write has met is not a clean end for the reader")
    func resetMetByAWrite() throws {
        try onLoop { _ in
            let (near, peer) = try await plainPeerPair()
            try peer.writeAll([1, 2, 3])
            #expect(try await near.read(upTo: 1) == [1])
            try peer.closeWithReset()
            await expectError(.connectionReset) { try await near.write([1]) }
            await expectError(.connectionReset) { for try await _ in near {} }
        }
    }

    @Test("N1: a copy from an empty source to a peer that is gone")
    func copyOfNothing() throws {
        try onLoop { _ in
            let (source, feeder) = try await connectedPair()
            let (sink, drain) = try await plainPeerPair()
            await feeder.close()
            try drain.closeWithReset()
            await expectError(.brokenPipe) { try await source.copy(to: sink) }
        }
    }

    @Test("onError by default is silent about it")
    func silence() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            try onLoop { loop in
                let listener = try await TCPListener.onLoopback()
                let serving = loop.spawn {
                    try await listener.serve { connection in
                        while (try? await connection.read()) ?? nil != nil {}
                        try await connection.finishWriting()
                    }
                }
                for _ in 0..<10 {
                    let client = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
                    try client.writeAll([1])
                    try await loop.sleep(for: .milliseconds(1))
                    try client.closeWithReset()
                }
                await listener.close()
                try await serving.value
            }
        }
        #expect(try #require(result).standardErrorContent.isEmpty)
    }

    @Test("Never connected and finished already keep their word")
    func finishedAlready() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await near.finishWriting()
            await expectError(.socketNotConnected) { try await near.finishWriting() }
            await far.close()
        }
    }

    @Test("Errors name the peer, and no layer below")
    func names() throws {
        try onLoop { loop in
            let (near, peer) = try await plainPeerPair()
            let reading = loop.spawn { try await near.read() }
            try await loop.waitUntilIdle()
            try peer.closeWithReset()
            var errors = [await failure(of: reading)]
            errors.append(await failure(of: Task { try await near.write([1]) }))
            await near.close()
            errors.append(await failure(of: Task { try await near.write([1]) }))
            errors.append(await failure(of: Task { try await near.finishWriting() }))
            errors.append(await failure(of: Task { _ = try await near.read() }))
            errors.append(await failure(of: Task { try await near.setNoDelay(enabled: true) }))
            let name = "\(near.remoteAddress)"
            let closed = "of a closed connection with \(name)"
            #expect(
                errors.compactMap { ($0 as? UVError)?.description } == [
                    "connection reset by peer (ECONNRESET) in read from \(name)",
                    "broken pipe (EPIPE) in write to \(name)",
                    "bad file descriptor (EBADF) in write \(closed)",
                    "bad file descriptor (EBADF) in finishWriting \(closed)",
                    "bad file descriptor (EBADF) in read \(closed)",
                    "bad file descriptor (EBADF) in setNoDelay \(closed)",
                ])
        }
    }

    @Test("A read, a write and a finish that a close ends are called so")
    func namesAtClose() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let tasks = [
                loop.spawn { _ = try await near.read() }, try await near.fill(loop),
                loop.spawn { try await near.finishWriting() },
            ]
            try await loop.waitUntilIdle()
            await near.close()
            var operations: [String] = []
            for task in tasks { operations.append((await failure(of: task) as? UVError)?.operation ?? "") }
            #expect(operations == ["read", "write", "finishWriting"])
            await far.close()
        }
    }
}
