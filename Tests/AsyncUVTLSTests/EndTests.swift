import AsyncUV
import Foundation
import TestSupport
import Testing
import UV

@testable import AsyncUVTLS

/// How connections end, on either side.
@Suite(.ownThread, .inTurn) struct EndTests {
    private static func isReset(_ error: any Error) -> Bool {
        code(of: error) == .connectionReset || code(of: error) == .brokenPipe
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3]) func aServerThatIsCutOff(_ version: TLSVersion) throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            let (client, server) = try await secured(near, far, nil, serverContext(versions: version...version))
            try await server.write("before")
            // The socket ends below TLS.
            try await far.withHandle { _ = shutdown(try $0.fileDescriptor.rawValue, CInt(SHUT_WR)) }
            #expect(try await client.read() == Array("before".utf8))
            for _ in 0..<2 { await expectFailure(isTruncated) { try await client.read() } }
            await expectFailure(isTruncated) { try await client.readToEnd() }
            // Which does not keep us from writing.
            try await client.write("still here")
            #expect(try await server.read() == Array("still here".utf8))
            await client.close()
            await server.close()
        }
    }

    /// What is written waits in clear until it is its turn, and so does the end.
    @Test func theEndComesBehindWritesThatWait() throws {
        try onLoop { loop in
            let (client, server) = try await tlsPair()
            let first = [UInt8](repeating: 1, count: 16 << 20), second = [UInt8](repeating: 2, count: 100_000)
            let writing = loop.spawn { try await client.write(first) }
            try await loop.waitUntilIdle()
            let waiting = loop.spawn { try await client.write(second) }
            try await loop.waitUntilIdle()
            let finishing = loop.spawn { try await client.finishWriting() }
            try await loop.waitUntilIdle()
            await expectError(.socketShutdown) { try await client.write("late") }
            #expect(try await server.readToEnd() == first + second)
            for task in [writing, waiting, finishing] { try await task.value }
            try await server.write("answer")
            #expect(try await client.read() == Array("answer".utf8))
            await server.close()
            #expect(try await client.read() == nil)
            await client.close()
        }
    }

    /// Whoever waits for the end gives up; the end comes nevertheless, as in clear.
    @Test func anEndThatIsCancelled() throws {
        try onLoop { loop in
            let (client, server) = try await tlsPair()
            let bytes = [UInt8](repeating: 1, count: 16 << 20)
            let writing = loop.spawn { try await client.write(bytes) }
            try await loop.waitUntilIdle()
            let finishing = loop.spawn { try await client.finishWriting() }
            try await loop.waitUntilIdle()
            finishing.cancel()
            #expect(await failure(of: finishing) is CancellationError)
            await expectError(.socketShutdown) { try await client.write("late") }
            #expect(try await server.readToEnd() == bytes)
            try await writing.value
            try await server.write("answer")
            #expect(try await client.read() == Array("answer".utf8))
            await server.close()
            await client.close()
        }
    }

    @Test(arguments: [false, true], [false, true])
    func resetsAfterAHalfClose(_ isClients: Bool, _ isByWhoFinished: Bool) throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let (client, server) = try await secured(near, far)
            let (one, other) = isClients ? (client, server) : (server, client)
            let (oneSocket, otherSocket) = isClients ? (near, far) : (far, near)
            try await one.write("last")
            try await one.finishWriting()
            #expect(try await other.readToEnd() == Array("last".utf8))
            if isByWhoFinished {
                await oneSocket.closeWithReset()
                // It has said that it has finished: that was all.
                #expect(try await other.read() == nil)
                await expectFailure(Self.isReset) {
                    for _ in 0..<100 { try await other.write([UInt8](repeating: 0, count: 100_000)) }
                }
            } else {
                let reading = loop.spawn { try await one.read() }
                try await loop.waitUntilIdle()
                await otherSocket.closeWithReset()
                #expect(code(of: await failure(of: reading)) == .connectionReset)
            }
            await one.close()
            await other.close()
        }
    }

    @Test(arguments: [TLSSide.client, .server]) func ourOwnCloseDuringTheHandshake(_ side: TLSSide) throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let context = side == .client ? try clientContext() : try serverContext()
            let securing = loop.spawn {
                try await TLSConnection.secure(far, as: side, context: context, serverName: "localhost")
            }
            try await loop.waitUntilIdle()
            await far.close()
            #expect(code(of: await failure(of: securing)) == .canceled)
            // Without an alert and without a reset: the peer finds the end, behind a hello of ours.
            let bytes = try await near.readToEnd()
            #expect(bytes.first == (side == .client ? 22 : nil))
            await near.close()
        }
    }
}
