import AsyncUV
import Foundation
import TestSupport
import Testing
import UV

@testable import AsyncUVTLS

@Suite(.ownThread, .inTurn) struct TLSConnectionTests {
    @Test func bytesGoBothWays() throws {
        try onLoop { _ in
            let (client, server) = try await tlsPair()
            try await client.write("hello")
            #expect(try await server.read() == Array("hello".utf8))
            try await server.write("world")
            #expect(try await client.read() == Array("world".utf8))
            #expect(client.version == .v1_3 && server.version == .v1_3)
            #expect(client.cipherSuite.hasPrefix("TLS_") && client.cipherSuite == server.cipherSuite)
            #expect(server.serverName == "localhost" && client.applicationProtocol == nil)
            #expect(client.peerCertificate?.names == ["localhost", "example.test", "127.0.0.1", "::1"])
            #expect(server.peerCertificate == nil && !client.isResumed)
            await client.close()
            #expect(try await server.read() == nil)
            await server.close()
        }
    }

    @Test("The family of the server's address, and the address of the client")
    func familyAndLocalAddress() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let (port, context, server) = (listener.localAddress.port, try clientContext(), try serverContext())
            let clients = Shared<[String]>([])
            let serving = loop.spawn {
                try await listener.serve(tls: server) { connection in
                    clients.change { $0.append(connection.remoteAddress?.host ?? "nobody") }
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            let local = try SocketAddress(host: "127.0.0.2", port: 0)
            try await TLSConnection.withConnection(
                host: "localhost", port: port, family: .ipv4, context: context, from: local
            ) { connection in
                #expect(connection.remoteAddress?.family == .ipv4)
                try await connection.write("x")
                #expect(try await connection.read() == Array("x".utf8))
            }
            for family in [SocketAddress.Family.ipv6, .ipv4] {
                await expectError(.addressFamilyNotSupported) {
                    try await TLSConnection.connect(
                        host: "127.0.0.1", port: port, family: family, context: context, from: .loopbackIPv6(port: 0))
                }
            }
            await listener.close()
            try await serving.value
            #expect(clients.value == ["127.0.0.2"])
        }
    }

    @Test(arguments: [0, 1, 2, 16_383, 16_384, 16_385, 65_536, 65_537, 1_000_000]) func sizes(_ size: Int) throws {
        try onLoop { loop in
            let (client, server) = try await tlsPair()
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let writing = loop.spawn {
                try await client.write(bytes)
                try await client.write(contentsOf: [Array(bytes.prefix(3)), [], Array(bytes.dropFirst(3))])
                try await client.finishWriting()
            }
            let all = try await server.readToEnd()
            #expect(all == bytes + bytes)
            try await writing.value
            await client.close()
            await server.close()
        }
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3]) func bulkBothWaysAtOnce(_ version: TLSVersion) throws {
        try onLoop { loop in
            let (client, server) = try await tlsPair(server: serverContext(versions: version...version))
            let piece = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 13) }
            let bytes = Array(repeatElement(piece, count: 64).joined())
            let received = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
                for (one, other) in [(client, server), (server, client)] {
                    group.addTask(executorPreference: loop) {
                        for start in stride(from: 0, to: bytes.count, by: 100_000) {
                            try await one.write(bytes[start..<min(start + 100_000, bytes.count)])
                        }
                        try await one.finishWriting()
                        return nil
                    }
                    group.addTask(executorPreference: loop) { try await other.readToEnd() }
                }
                var all: [[UInt8]] = []
                for try await bytes in group { if let bytes { all.append(bytes) } }
                return all
            }
            #expect(received == [bytes, bytes])
            await client.close()
            await server.close()
        }
    }

    @Test func everyWayToRead() throws {
        try onLoop { _ in
            let (client, server) = try await tlsPair()
            try await client.write("one\r\ntwo\nthree;12345678rest")
            #expect(try await server.readLine() == "one")
            #expect(try await server.readLineBytes(limit: 100) == Array("two".utf8))
            #expect(try await server.readUntil(UInt8(ascii: ";"), limit: 100) == Array("three;".utf8))
            #expect(try await server.read(exactly: 4) == Array("1234".utf8))
            var room = Array("<".utf8)
            #expect(try await server.read(into: &room, upTo: 2) == 2)
            #expect(room == Array("<56".utf8))
            try await server.unread(Array("6".utf8))
            let used = try await server.withBytes { bytes in (used: bytes.count, value: bytes.count) }
            #expect(used == 7)
            try await client.write("late")
            #expect(try await server.read(into: &room) == 4)
            await client.close()
            await server.close()
        }
    }

    @Test func aByteAtATime() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let (a, b) = try await connectedPair()
            // Between the two ends of TLS somebody passes one byte at a time.
            let passing = loop.spawn {
                await withTaskGroup { group in
                    for (one, other) in [(far, a), (a, far)] {
                        group.addTask(executorPreference: loop) {
                            while let byte = try? await one.read(upTo: 1) { try? await other.write(byte) }
                            try? await other.finishWriting()
                        }
                    }
                }
            }
            let (client, server) = try await secured(near, b)
            try await client.write([UInt8](repeating: 5, count: 3_000))
            #expect(try await server.read(exactly: 3_000) == [UInt8](repeating: 5, count: 3_000))
            await client.close()
            #expect(try await server.read() == nil)
            await server.close()
            _ = await passing.result
            for connection in [far, a] { await connection.close() }
        }
    }

    @Test func halfClose() throws {
        try onLoop { _ in
            let (client, server) = try await tlsPair()
            try await client.write("question")
            try await client.finishWriting()
            #expect(try await server.readToEnd() == Array("question".utf8))
            #expect(try await server.read() == nil)
            try await server.write("answer")
            #expect(try await client.read() == Array("answer".utf8))
            await expectError(.socketShutdown) { try await client.write("more") }
            await server.close()
            #expect(try await client.read() == nil)
            await client.close()
        }
    }

    @Test func endsWithoutCloseNotifyAreTruncations() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            let (client, server) = try await secured(near, far)
            try await client.write("before")
            // The socket ends below TLS.
            try await near.withHandle { _ = shutdown(try $0.fileDescriptor.rawValue, CInt(SHUT_WR)) }
            #expect(try await server.read() == Array("before".utf8))
            for _ in 0..<2 { await expectFailure(isTruncated) { try await server.read() } }
            await expectFailure(isTruncated) { try await server.readLine() }
            await client.close()
            await server.close()
        }
    }

    /// TLS 1.2 ends and fails as 1.3 does.
    @Test func endsOfTLS12() throws {
        try onLoop { _ in
            let context = try serverContext(versions: .v1_2 ... .v1_2)
            var (client, server) = try await tlsPair(server: context)
            try await client.write("last")
            await client.close()
            #expect(try await server.read() == Array("last".utf8))
            #expect(try await server.read() == nil)
            await server.close()

            let (near, far) = try await connectedPair()
            (client, server) = try await secured(near, far, nil, context)
            try await near.withHandle { _ = shutdown(try $0.fileDescriptor.rawValue, CInt(SHUT_WR)) }
            for _ in 0..<2 { await expectFailure(isTruncated) { try await server.read() } }
            await client.close()
            await server.close()
        }
    }

    /// What has come before a reset is not lost, as far as the system still has it; writers are told, too.
    @Test func aResetWhileOthersWait() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let (client, server) = try await secured(near, far)
            let reading = loop.spawn { try await server.read() }
            let writing = loop.spawn { try await server.write([UInt8](repeating: 0, count: 16 << 20)) }
            let finishing = loop.spawn { try await server.finishWriting() }
            try await loop.waitUntilIdle()
            await near.closeWithReset()
            let errors = [await failure(of: reading), await failure(of: writing), await failure(of: finishing)]
            for error in errors {
                #expect(
                    code(of: error) == .connectionReset || code(of: error) == .brokenPipe,
                    "\(String(describing: error))")
            }
            await server.close()
            await client.close()
        }
    }

    @Test func aResetIsAReset() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            let (client, server) = try await secured(near, far)
            await near.closeWithReset()
            await expectError(.connectionReset) { while try await server.read() != nil {} }
            await expectFailure { _ in
                true
            } _: {
                for _ in 0..<10 { try await server.write([UInt8](repeating: 0, count: 100_000)) }
            }
            await server.close()
            await client.close()
        }
    }

    @Test func cancelledReadsLoseNothing() throws {
        try onLoop { loop in
            let (client, server) = try await tlsPair()
            for round in 0..<20 {
                let reading = loop.spawn { try await server.read() }
                try await loop.waitUntilIdle()
                reading.cancel()
                #expect(await failure(of: reading) is CancellationError)
                try await client.write("round \(round)\n")
                #expect(try await server.readLine() == "round \(round)")
            }
            await client.close()
            await server.close()
        }
    }

    /// A record that has been sealed is never taken back: the stream stays in step.
    @Test func cancelledWritesLeaveWholeOrNotAtAll() throws {
        try onLoop { loop in
            let (client, server) = try await tlsPair()
            let first = loop.spawn { try await client.write([UInt8](repeating: 1, count: 16 << 20)) }
            try await loop.waitUntilIdle()
            let second = loop.spawn { try await client.write([UInt8](repeating: 2, count: 100_000)) }
            try await loop.waitUntilIdle()
            let third = loop.spawn { try await client.write([UInt8](repeating: 3, count: 1_000)) }
            try await loop.waitUntilIdle()
            first.cancel()
            second.cancel()
            #expect(await failure(of: second) is CancellationError)
            let finishing = loop.spawn {
                _ = await first.result
                try await third.value
                try await client.finishWriting()
            }
            let all = try await server.readToEnd()
            #expect(all == [UInt8](repeating: 1, count: 16 << 20) + [UInt8](repeating: 3, count: 1_000))
            try await finishing.value
            await client.close()
            await server.close()
        }
    }

    @Test func closeEndsWhatWaits() throws {
        try onLoop { loop in
            let (client, server) = try await tlsPair()
            let reading = loop.spawn { try await client.read() }
            let writing = loop.spawn { try await client.write([UInt8](repeating: 1, count: 16 << 20)) }
            try await loop.waitUntilIdle()
            await client.close()
            #expect(code(of: await failure(of: reading)) == .canceled)
            #expect(code(of: await failure(of: writing)) == .canceled)
            await expectError(.badFileDescriptor) { try await client.read() }
            await expectError(.badFileDescriptor) { try await client.write("x") }
            // What was written has not left as a whole: it is not said that we have finished.
            await expectFailure {
                isTruncated($0) || code(of: $0) == .connectionReset
            } _: {
                while try await server.read() != nil {}
            }
            await server.close()
        }
    }

    @Test func dropCloses() throws {
        try onLoop { _ in
            var (client, server): (TLSConnection?, TLSConnection) = try await tlsPair()
            try await client?.write("last")
            client = nil
            #expect(try await server.readToEnd() == Array("last".utf8))
            await server.close()
        }
    }

    @Test func closingWhileOthersReadAndWrite() throws {
        try onLoop { loop in
            let (client, server) = try await tlsPair()
            let reading = loop.spawn { try await server.read() }
            try await loop.waitUntilIdle()
            await expectError(.alreadyInProcess) { try await server.read() }
            await expectError(.alreadyInProcess) { try await server.readLine() }
            try await client.write("x")
            #expect(try await reading.value == Array("x".utf8))
            await client.close()
            await client.close()
            await server.close()
        }
    }

    @Test func idleTimeout() throws {
        try onLoop { _ in
            let (client, server) = try await tlsPair()
            try await server.setIdleTimeout(.milliseconds(20))
            await expectError(.timedOut) { try await server.read() }
            try await client.write("x")
            #expect(try await server.read() == [UInt8(ascii: "x")])
            await expectError(.timedOut) { try await server.read(timeout: .milliseconds(5)) }
            await client.close()
            await server.close()
        }
    }

    @Test func fromElsewhere() async throws {
        let loop = try EventLoop()
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        let context = try serverContext()
        let serving = Task {
            try await listener.serve(tls: context) { for try await chunk in $0 { try await $0.write(chunk) } }
        }
        let client = try await TLSConnection.connect(
            host: "localhost", port: listener.localAddress.port, context: clientContext(), on: loop)
        try await client.write("hello\n")
        #expect(try await client.readLine() == "hello")
        await client.close()
        await listener.close()
        try await serving.value
        await loop.shutdown()
    }
}
