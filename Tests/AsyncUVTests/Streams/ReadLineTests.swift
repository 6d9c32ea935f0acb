import AsyncUV
import TestSupport
import Testing

@Suite(.ownThread) struct ReadLineTests {
    /// What a peer gets that reads with the body what was sent.
    private func reading<Value: Sendable>(
        _ text: String, _ body: @escaping @Sendable (TCPConnection) async throws -> Value
    ) throws -> Value {
        try EventLoop.run { _ in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let client = try await TCPConnection.connect(to: listener.localAddress)
            let server = try #require(try await listener.accept())
            try await client.write(Array(text.utf8))
            try await client.finishWriting()
            return try await body(server)
        }
    }

    @Test func linesHaveNoEndsAndTheLastNeedsNone() throws {
        let lines = try reading("one\r\n\ntwo\nthree") { try await $0.lines().reduce(into: []) { $0.append($1) } }
        #expect(lines == ["one", "", "two", "three"])
    }

    @Test func whatFollowsALineIsStillThere() throws {
        let (line, rest) = try reading("head\nbody") { (try await $0.readLine(), try await $0.read()) }
        #expect(line == "head")
        #expect(rest == Array("body".utf8))
    }

    @Test func aLongLineIsRefusedAndStaysReadable() throws {
        let rest = try reading("0123456789\n") { connection in
            await expectError(.messageTooLong) { try await connection.readLine(limit: 4) }
            return try await connection.read(exactly: 11)
        }
        #expect(rest == Array("0123456789\n".utf8))
    }
}
