import AsyncUV
import TestSupport
import Testing

/// Errors of reads name the operation that was called, the peer, and the piece that was to be read.
@Suite(.ownThread) struct ReadErrorTests {
    private struct Call: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let expected: String
        let call: @Sendable (TCPConnection) async throws -> Void

        init(_ expected: String, _ call: @escaping @Sendable (TCPConnection) async throws -> Void) {
            testDescription = expected
            self.expected = expected
            self.call = call
        }
    }

    /// "PEER" stands for the peer's address.
    private static let calls = [
        Call("message too long (EMSGSIZE) in readLine from PEER, more than 2 bytes") {
            _ = try await $0.readLine(limit: 2)
        },
        Call("message too long (EMSGSIZE) in readLineBytes from PEER, more than 2 bytes") {
            _ = try await $0.readLineBytes(limit: 2)
        },
        Call("message too long (EMSGSIZE) in readUntil from PEER, more than 2 bytes") {
            _ = try await $0.readUntil(0, limit: 2)
        },
        Call("message too long (EMSGSIZE) in readLine from PEER, more than 2 bytes") {
            _ = try await $0.readLine(limit: 2, timeout: .seconds(1_000))
        },
        Call("message too long (EMSGSIZE) in readToEnd from TCP connection with PEER, more than 2 bytes") {
            _ = try await $0.readToEnd(limit: 2)
        },
        Call("message too long (EMSGSIZE) in withBytes from PEER, a message of more than 2 bytes") { connection in
            while try await connection.withBytes(limit: 2, { _ in (used: 0, value: ()) }) != nil {}
        },
        Call("timed out (ETIMEDOUT) in readLine from PEER") { _ = try await $0.readLine(timeout: .milliseconds(1)) },
        Call("timed out (ETIMEDOUT) in readLineBytes from PEER") {
            _ = try await $0.readLineBytes(timeout: .milliseconds(1))
        },
        Call("timed out (ETIMEDOUT) in readUntil from PEER") {
            _ = try await $0.readUntil(0, timeout: .milliseconds(1))
        },
        Call("timed out (ETIMEDOUT) in readToEnd from PEER") { _ = try await $0.readToEnd(timeout: .milliseconds(1)) },
        Call("timed out (ETIMEDOUT) in read from PEER") {
            _ = try await $0.read(exactly: 9, timeout: .milliseconds(1))
        },
        Call("timed out (ETIMEDOUT) in readLine from PEER") {
            try await $0.setIdleTimeout(.milliseconds(1))
            _ = try await $0.readLine()
        },
        Call("timed out (ETIMEDOUT) in withBytes from PEER") { connection in
            while true { _ = try await connection.withBytes(timeout: .milliseconds(1)) { _ in (used: 0, value: ()) } }
        },
        Call("invalid argument (EINVAL) in read from PEER, up to 0 bytes") { _ = try await $0.read(upTo: 0) },
        Call("invalid argument (EINVAL) in read from PEER, up to 0 bytes") {
            var bytes: [UInt8] = []
            _ = try await $0.read(into: &bytes, upTo: 0)
        },
        Call("invalid argument (EINVAL) in read from TCP connection with PEER, -1 bytes") {
            _ = try await $0.read(exactly: -1)
        },
    ]

    @Test(arguments: calls) private func readsThatFailSayWhatOfWhom(call: Call) throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            try await far.write("abc")
            do {
                try await call.call(near)
                Issue.record("no error")
            } catch {
                #expect("\(error)" == call.expected.replacing("PEER", with: "\(near.remoteAddress)"))
            }
            try await near.setIdleTimeout(nil)
            #expect(try await near.read(exactly: 3) == Array("abc".utf8))
            await near.close()
            await far.close()
        }
    }

    @Test func anEndThatCameTooEarlySaysWhose() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            try await far.write("abc")
            try await far.finishWriting()
            var texts: [String] = []
            do { _ = try await near.read(exactly: 99) } catch { texts.append("\(error)") }
            do {
                while try await near.withBytes({ _ in (used: 0, value: ()) }) != nil {}
            } catch { texts.append("\(error)") }
            let peer = near.remoteAddress
            #expect(
                texts == [
                    "end of file (EOF) in read from TCP connection with \(peer), 99 bytes after 3",
                    "end of file (EOF) in withBytes from \(peer), a message of more than 3 bytes",
                ])
            await near.close()
            await far.close()
        }
    }

    @Test func readToEndHasATimeForAllOfIt() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            // Something comes all the time, but not the end.
            let writing = loop.spawn {
                while true {
                    try await far.write("x")
                    try await loop.sleep(for: .milliseconds(2))
                }
            }
            await expectError(.timedOut) { _ = try await near.readToEnd(timeout: .milliseconds(50)) }
            writing.cancel()
            _ = await writing.result
            try await far.finishWriting()
            let bytes = try await near.readToEnd(timeout: .seconds(1_000))
            #expect(!bytes.isEmpty && bytes.allSatisfy { $0 == UInt8(ascii: "x") })
            await near.close()
            await far.close()
        }
    }
}
