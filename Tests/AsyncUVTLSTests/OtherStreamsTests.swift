import AsyncUV
import TestSupport
import Testing
import UV

@testable import AsyncUVTLS

/// TLS over local sockets, over other TLS connections, over streams of the user's own, after plain text.
@Suite(.ownThread, .inTurn) struct OtherStreamsTests {
    private func talk(_ client: TLSConnection, _ server: TLSConnection) async throws {
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
        let writing = client.loop.spawn {
            try await client.write(bytes)
            try await client.finishWriting()
        }
        #expect(try await server.readToEnd() == bytes)
        try await writing.value
        try await server.write("thanks")
        await server.close()
        #expect(try await client.readToEnd() == Array("thanks".utf8))
        await client.close()
    }

    @Test func localSockets() throws {
        try onLoop { _ in
            let (near, far) = try await LocalConnection.pair()
            let (client, server) = try await secured(near, far)
            try await talk(client, server)
        }
    }

    @Test func insideAnother() throws {
        try onLoop { _ in
            let (near, far) = try await tlsPair()
            let (client, server) = try await secured(near, far)
            #expect(client.remoteAddress == nil)
            try await talk(client, server)
        }
    }

    @Test func streamsOfAnyKind() throws {
        try onLoop { loop in
            let (near, far) = try await PlainStream.pair(on: loop)
            let (client, server) = try await secured(near, far)
            try await talk(client, server)
            for _ in 0..<1_000 where !near.isClosed.value { try await loop.sleep(for: .milliseconds(1)) }
            #expect(near.isClosed.value)
        }
    }

    @Test func aDropClosesWhatIsBelow() throws {
        try onLoop { loop in
            let (near, far) = try await PlainStream.pair(on: loop)
            var (client, server): (TLSConnection?, TLSConnection) = try await secured(near, far)
            _ = client
            client = nil
            #expect(try await server.read() == nil)
            await server.close()
            for _ in 0..<1_000 where !near.isClosed.value { try await loop.sleep(for: .milliseconds(1)) }
            #expect(near.isClosed.value)
        }
    }

    /// A peer that stays connected and reads nothing keeps neither the stream nor what is between.
    @Test(arguments: [false, true]) func anAbortClosesAtOnceWhatIsBelow(_ isWriting: Bool) throws {
        try onLoop { loop in
            let (near, far) = try await PlainStream.pair(on: loop)
            let (client, server) = try await secured(near, far)
            let writing = loop.spawn {
                if isWriting { try await client.write([UInt8](repeating: 0, count: 16 << 20)) }
            }
            try await loop.waitUntilIdle()
            await client.abort()
            _ = await writing.result
            try await loop.waitUntilIdle()
            #expect(near.isClosed.value)
            await far.close()
            await server.abort()
        }
    }

    /// The peer gets what was written before the close, if it takes it in time.
    @Test func aCloseIsBounded() throws {
        try onLoop { loop in
            for grace in [Duration.zero, .seconds(3_600)] {
                let (near, far) = try await PlainStream.pair(on: loop)
                let bridge = StreamBridge(over: near, grace: grace)
                let end = try await bridge.open()
                let bytes = [UInt8](repeating: 7, count: 16 << 20)
                let writing = loop.spawn { try await end.write(bytes) }
                try await loop.waitUntilIdle()
                if grace == .zero {
                    await end.close()
                    bridge.close()
                    _ = await writing.result
                    // Until the clock has ticked.
                    while !near.isClosed.value { try await loop.waitUntilIdle() }
                } else {
                    let reading = loop.spawn { try await far.readToEnd(limit: .max) }
                    try await writing.value
                    await end.close()
                    bridge.close()
                    #expect(try await reading.value == bytes)
                }
                await far.close()
            }
        }
    }

    @Test func aHandshakeThatFailsTellsWhy() throws {
        try onLoop { loop in
            let (near, far) = try await PlainStream.pair(on: loop)
            let serving = loop.spawn {
                try await TLSConnection.secure(far, as: .server, context: serverContext(protocols: ["h2"]))
            }
            await expectFailure {
                isAlert($0, .noApplicationProtocol)
            } _: {
                try await TLSConnection.secure(
                    near, as: .client, context: clientContext(protocols: ["http/1.1"]), serverName: "localhost")
            }
            #expect(await failure(of: serving) is TLSError)
            while !near.isClosed.value || !far.isClosed.value { try await loop.waitUntilIdle() }
        }
    }

    @Test func startTLS() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let serving = loop.spawn {
                #expect(try await far.readLine() == "STARTTLS")
                try await far.write("220 go ahead\r\n")
                return try await TLSConnection.secure(far, as: .server, context: serverContext())
            }
            try await near.write("STARTTLS\r\n")
            #expect(try await near.readLine() == "220 go ahead")
            let client = try await TLSConnection.secure(
                near, as: .client, context: clientContext(), serverName: "localhost")
            try await talk(client, serving.value)
        }
    }

    /// Plain text that somebody has put behind the command is not taken for a part of what is under TLS.
    @Test func injectedBytesAreTheHandshakes() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await near.write("STARTTLS\r\nINJECTED\r\n")
            #expect(try await far.readLine() == "STARTTLS")
            await expectFailure {
                $0 is TLSError
            } _: {
                try await TLSConnection.secure(far, as: .server, context: serverContext())
            }
            await near.close()
        }
    }

    /// A client that does not wait for the answer: its ClientHello has been read with the line.
    @Test func anEarlyHandshakeIsNotLost() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await near.write("STARTTLS\r\n")
            let context = try clientContext()
            let connecting = loop.spawn {
                try await TLSConnection.secure(near, as: .client, context: context, serverName: "localhost")
            }
            try await loop.waitUntilIdle()
            #expect(try await far.readLine() == "STARTTLS")
            let server = try await TLSConnection.secure(far, as: .server, context: serverContext())
            try await talk(connecting.value, server)
        }
    }

    @Test func busyStreamsAreRefused() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let reading = loop.spawn { try await near.read() }
            try await loop.waitUntilIdle()
            await expectError(.alreadyInProcess) {
                try await TLSConnection.secure(near, as: .client, context: clientContext(), serverName: "localhost")
            }
            _ = await reading.result
            await expectError(.badFileDescriptor) {
                try await TLSConnection.secure(near, as: .client, context: clientContext(), serverName: "localhost")
            }
            await far.close()
        }
    }

    /// The system would send the file as it is.
    @Test func files() throws {
        try onLoop { _ in
            let (client, server) = try await tlsPair()
            let path = FilePath("\(certificates)/make")
            let expected = try await FileSystem.readFile(path)
            let file = try await File.open(path)
            #expect(try await file.send(to: server) == Int64(expected.count))
            try await file.close()
            await server.close()
            #expect(try await client.readToEnd() == expected)
            await client.close()
        }
    }
}
