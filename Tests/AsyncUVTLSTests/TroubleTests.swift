import AsyncUV
import CTLS
import Foundation
import TestSupport
import Testing
import UV

@testable import AsyncUVTLS

/// Peers that do not do what they should.
@Suite(.ownThread, .inTurn) struct TroubleTests {
    // MARK: Handshakes

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "garbage", "\u{16}\u{3}\u{1}\u{ff}\u{ff}\u{ff}", "SSH-2.0-x\r\n",
    ])
    func noTLSAtAll(_ text: String) throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await near.write(text + String(repeating: " ", count: 100))
            await expectFailure {
                if case .protocolViolation(_, let peer)? = $0 as? TLSError {
                    peer?.contains("127.0.0.1") == true
                } else {
                    false
                }
            } _: {
                try await TLSConnection.secure(far, as: .server, context: serverContext())
            }
            // An alert, and the end.
            let answer = try await near.readToEnd()
            #expect(answer.isEmpty || answer[0] == 21)
            await near.close()
        }
    }

    @Test func silence() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            await expectError(.timedOut) {
                try await TLSConnection.secure(far, as: .server, context: serverContext(), timeout: .milliseconds(20))
            }
            #expect(try await near.readToEnd() == [])
            await near.close()
        }
    }

    /// The bytes of the client wait in the kernel while the loop does something else: they are read before the clock is.
    @Test(.disabled(if: isSanitized, "a handshake takes longer than the timeout there"))
    func aLoopThatWasBusyReadsBeforeItGivesUp() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let client = try clientContext()
            let connecting = loop.spawn {
                try await TLSConnection.secure(near, as: .client, context: client, serverName: "localhost")
            }
            let serving = loop.spawn {
                try await TLSConnection.secure(far, as: .server, context: serverContext(), timeout: .milliseconds(200))
            }
            await Task.yield()
            usleep(300_000)
            let server = try await serving.value
            await (try await connecting.value).close()
            await server.close()
        }
    }

    @Test func cancelledHandshakes() throws {
        try onLoop { loop in
            for side in [TLSSide.client, .server] {
                let (near, far) = try await connectedPair()
                let context = side == .client ? try clientContext() : try serverContext()
                let task = loop.spawn {
                    try await TLSConnection.secure(far, as: side, context: context, serverName: "localhost")
                }
                try await loop.waitUntilIdle()
                task.cancel()
                #expect(await failure(of: task) is CancellationError)
                _ = try? await near.readToEnd()
                await near.close()
            }
        }
    }

    @Test(arguments: [0, 1, 2, 3]) func endsDuringTheHandshake(_ how: Int) throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let task = loop.spawn {
                try await TLSConnection.secure(
                    far, as: how < 2 ? .client : .server, context: how < 2 ? clientContext() : serverContext(),
                    serverName: "localhost")
            }
            try await loop.waitUntilIdle()
            if how % 2 == 0 { await near.close() } else { await near.closeWithReset() }
            let error = await failure(of: task)
            #expect(error is TLSError || code(of: error) == .connectionReset, "\(String(describing: error))")
        }
    }

    /// Old clients get an alert.
    @Test func tls11() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let errors = Shared<[String]>([])
            let context = try serverContext()
            let serving = loop.spawn {
                try await listener.serve(
                    tls: context, onHandshakeError: { error, _ in errors.change { $0.append("\(error)") } }
                ) { _ in Issue.record("a handshake with TLS 1.1") }
            }
            let port = listener.localAddress.port
            let result = try await ChildProcess.run(
                "openssl", ["s_client", "-connect", "127.0.0.1:\(port)", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
            #expect(!result.status.isSuccess)
            #expect((result.text + result.errorText).contains("alert protocol version"))
            await listener.close()
            try await serving.value
            #expect(errors.value.count == 1 && errors.value[0].contains("unsupported protocol"), "\(errors.value)")
        }
    }

    // MARK: Afterwards

    /// A relay between the two sides that can do harm.
    private func withRelay(
        _ body:
            @Sendable (
                _ client: TLSConnection, _ server: TLSConnection, _ toServer: TCPConnection, _ toClient: TCPConnection
            ) async throws -> Void
    ) async throws {
        let (near, a) = try await connectedPair()
        let (b, far) = try await connectedPair()
        let loop = near.loop
        let passing = [(a, b), (b, a)].map { (one, other) in
            loop.spawn { while let bytes = try? await one.read() { try? await other.write(bytes) } }
        }
        let (client, server) = try await secured(near, far)
        // The tickets.
        try await server.write("ready")
        _ = try await client.read()
        for task in passing {
            task.cancel()
            _ = await task.result
        }
        try await body(client, server, b, a)
        for connection in [a, b] { await connection.close() }
        await client.close()
        await server.close()
    }

    @Test func aBrokenRecord() throws {
        try onLoop { _ in
            try await withRelay { client, server, toServer, toClient in
                try await client.write("good")
                try await client.write("bad")
                var bytes: [UInt8] = []
                while bytes.count < 2 * 22 + 7 { bytes += try await toClient.read() ?? [] }
                bytes[bytes.count - 1] ^= 1
                try await toServer.write(bytes)
                // First what came before, then the reason, again and again.
                #expect(try await server.read() == Array("good".utf8))
                for _ in 0..<2 {
                    await expectFailure {
                        "\($0)".contains("bad record mac")
                    } _: {
                        try await server.read()
                    }
                }
                await expectFailure {
                    $0 is TLSError
                } _: {
                    try await server.write("x")
                }
                // The other side hears of it.
                while let alert = try await toServer.read(upTo: 1_000, timeout: .seconds(10)) {
                    try await toClient.write(alert)
                    if !alert.isEmpty { break }
                }
                await expectFailure {
                    isAlert($0, TLSAlert(rawValue: 20))
                } _: {
                    try await client.read()
                }
            }
        }
    }

    @Test(arguments: [1, 5, 20, 25]) func anEndInTheMiddleOfARecord(_ count: Int) throws {
        try onLoop { _ in
            try await withRelay { client, server, toServer, toClient in
                try await client.write("good")
                try await client.write("cut off")
                var bytes: [UInt8] = []
                while bytes.count < 2 * 22 + 11 { bytes += try await toClient.read() ?? [] }
                try await toServer.write(Array(bytes.prefix(26 + count)))
                try await toServer.finishWriting()
                #expect(try await server.read() == Array("good".utf8))
                await expectFailure(isTruncated) { try await server.read() }
                await expectFailure(isTruncated) { try await server.readToEnd() }
            }
        }
    }

    @Test func keysChangeInTraffic() throws {
        try onLoop { loop in
            let (client, server) = try await tlsPair()
            let echoing = loop.spawn {
                for try await chunk in server { try await server.write(chunk) }
                await server.close()
            }
            for round in 0..<50 {
                let filter = [client, server][round % 2].filter
                let hasChanged = try await loop.withLoop { _ in filter.updateKeys() }
                #expect(hasChanged)
                let line = [UInt8](repeating: UInt8(round), count: 1 + round * 997)
                try await client.write(line)
                #expect(try await client.read(exactly: line.count) == line)
            }
            await client.close()
            try await echoing.value
        }
    }

    /// A peer that asks for new keys again and again, and takes no answer, is not heard any more: memory stays bounded.
    @Test func aFloodOfKeyUpdates() throws {
        try onLoop { loop in
            // TCP would drop what the full buffers have no room for, and send it again ever later: after minutes in the end.
            let (near, far) = try await LocalConnection.pair()
            for stream in [near, far] { try await stream.setSendBufferSize(4_096) }
            let (client, server) = try await secured(near, far)
            let count = Shared(0)
            let reading = loop.spawn {
                while let bytes = try await server.read() { count.change { $0 += bytes.count } }
            }
            let isEnough = Shared(false)
            let flooding = loop.spawn {
                var sent = 0
                while !isEnough.value {
                    // Each record of ours brings 10 requests with it, each of which wants an answer.
                    _ = try await loop.withLoop { _ in (0..<10).map { _ in client.filter.updateKeys() } }
                    try await client.write([1])
                    sent += 1
                }
                try await client.finishWriting()
                return sent
            }
            var unsent = 0
            // Nothing is read any more when nothing has been for so many milliseconds.
            var last = -1, still = 0
            while unsent < 60_000 || still < 50, unsent < 200_000 {
                try await loop.sleep(for: .milliseconds(1))
                unsent = try await loop.withLoop { _ in server.filter.unsentCount }
                still = count.value == last ? still + 1 : 0
                last = count.value
            }
            #expect(unsent < 200_000)
            isEnough.value = true
            // As soon as the peer takes the answers it is heard again.
            let taking = loop.spawn { try await client.read() }
            try await reading.value
            #expect(try await flooding.value == count.value)
            try await server.finishWriting()
            #expect(try await taking.value == nil)
            await server.close()
            await client.close()
        }
    }

    /// What a peer that does not read makes us keep is what writers wait with.
    @Test func memoryIsBoundedBesideAPeerThatNeverReads() throws {
        try onLoop { loop in
            let (client, server) = try await tlsPair()
            let count = Shared(0)
            let writing = loop.spawn {
                while true {
                    try await server.write([UInt8](repeating: 1, count: 100_000))
                    count.change { $0 += 1 }
                }
            }
            try await loop.waitUntilIdle()
            let before = count.value
            for _ in 0..<10 { try await loop.sleep(for: .milliseconds(2)) }
            #expect(count.value == before)
            let queued = try await server.withHandle { $0.writeQueueSize }
            #expect(queued < 300_000)
            writing.cancel()
            _ = await writing.result
            await server.close()
            await client.close()
        }
    }

    @Test func errorsOfOthersInTheQueueDoNotHarm() throws {
        try onLoop { _ in
            let (client, server) = try await tlsPair()
            // Leaves errors in this thread's queue, as another library might.
            #expect(throws: TLSError.self) { try TLSIdentity(certificateChainPEM: "x", privateKeyPEM: "y") }
            ctls_leave_error()
            try await client.write("a")
            #expect(try await server.read() == [97])
            ctls_leave_error()
            await client.close()
            ctls_leave_error()
            #expect(try await server.read() == nil)
            await server.close()
        }
    }

    @Test func serversEndTheirClients() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let context = try serverContext()
            let serving = loop.spawn {
                // Longer than a handshake takes on a busy machine.
                try await listener.serve(tls: context, idleTimeout: .milliseconds(100 * patience)) { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            let client = try await TLSConnection.connect(
                host: "localhost", port: listener.localAddress.port, context: clientContext())
            #expect(try await client.read() == nil)
            await client.close()
            // One that waits for its next message ends with the listener.
            await listener.close()
            try await serving.value
        }
    }

    @Test func draining() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let context = try serverContext()
            let serving = loop.spawn {
                try await listener.serve(tls: context) { connection in
                    while let chunk = try await connection.read(untilDraining: true) {
                        try await connection.write(chunk)
                    }
                }
            }
            let client = try await TLSConnection.connect(
                host: "localhost", port: listener.localAddress.port, context: clientContext())
            try await client.write("x")
            #expect(try await client.read() == [120])
            try await loop.waitUntilIdle()
            await listener.close()
            #expect(try await client.read() == nil)
            await client.close()
            try await serving.value
        }
    }
}
