import AsyncUV
import ExampleRESP
import TestSupport
import Testing

/// Redis's protocol: `resp-server` on its loop.
@Suite(.ownThread) struct RESPTests {
    /// What the server answers to bytes that come in pieces of a size, until it or the client finishes.
    private func answers(to request: [UInt8], inPiecesOf size: Int) throws -> [UInt8] {
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(to: .loopback(port: 0))
            let server = Server()
            let serving = loop.spawn { try await listener.serve { try await server.converse(with: $0) } }
            let answers = try await TCPConnection.withConnection(to: listener.localAddress) { client in
                async let answers = client.readToEnd()
                var rest = request[...]
                while !rest.isEmpty {
                    try await client.write(rest.prefix(size))
                    rest = rest.dropFirst(size)
                    await Task.yield()
                }
                try? await client.finishWriting()
                return try await answers
            }
            await listener.close()
            try await serving.value
            return answers
        }
    }

    private func command(_ arguments: [[UInt8]]) -> [UInt8] {
        Array("*\(arguments.count)\r\n".utf8)
            + arguments.flatMap { Array("$\($0.count)\r\n".utf8) + $0 + [13, 10] }
    }

    private func command(_ arguments: String...) -> [UInt8] { command(arguments.map { Array($0.utf8) }) }

    @Test("Every command, in pieces of any size", arguments: [1, 2, 7, 30, 10_000])
    func commands(size: Int) throws {
        let binary = (0...255).map { UInt8($0) }
        let requests = [
            (command("PING"), "+PONG\r\n"), (command("ping", "ü"), "$2\r\nü\r\n"), (command("GET", "a"), "$-1\r\n"),
            (command("SET", "a", "1"), "+OK\r\n"), (command("get", "a"), "$1\r\n1\r\n"),
            (command("Set", "a", ""), "+OK\r\n"), (command("GET", "a"), "$0\r\n\r\n"),
            (command("SET", "a long key of more than sixteen bytes", "value of 16 byte"), "+OK\r\n"),
            (command("GET", "a long key of more than sixteen bytes"), "$16\r\nvalue of 16 byte\r\n"),
            (command("GET", "a long key of more than sixteen bytez"), "$-1\r\n"),
            (command("DEL", "a", "b", "a", "a long key of more than sixteen bytes"), ":2\r\n"),
            (command("GET", "a"), "$-1\r\n"), (command("SET", "", "empty"), "+OK\r\n"),
            (command("GET", ""), "$5\r\nempty\r\n"),
            (command("GET"), "-ERR wrong number of arguments for 'get' command\r\n"),
            (command("CONFIG", "GET", "save"), "-ERR unknown command 'CONFIG'\r\n"),
            (command("a\r\nb"), "-ERR unknown command 'ab'\r\n"),
        ]
        let answers = try answers(
            to: requests.flatMap(\.0) + command([Array("SET".utf8), binary, binary])
                + command([Array("GET".utf8), binary]),
            inPiecesOf: size)
        #expect(
            answers == requests.flatMap { Array($0.1.utf8) } + Array("+OK\r\n$256\r\n".utf8) + binary + [13, 10])
    }

    @Test(
        "What is no command is told, after the answers to what was before, and ends the connection",
        arguments: [
            ("GET a\r\n", "expected '*', got 'G'"), ("\r\n", "expected '*', got 'byte 13'"),
            ("*0\r\n", "invalid multibulk length"),
            ("*-1\r\n", "invalid multibulk length"), ("*1025\r\n", "invalid multibulk length"),
            ("*\r\n", "invalid multibulk length"), ("*1x", "invalid multibulk length"),
            ("*12345678901\r\n", "invalid multibulk length"), ("*1\r\n:1\r\n", "expected '$', got ':'"),
            ("*1\r\n$-1\r\n", "invalid bulk length"), ("*1\r\n$8388609\r\n", "invalid bulk length"),
            ("*1\rx", "CR without LF"),
            ("*1\r\n$4\r\nPINGPONG", "an argument is longer than its length"),
        ])
    func broken(bytes: String, reason: String) throws {
        let answers = try answers(to: command("PING") + Array(bytes.utf8) + command("PING"), inPiecesOf: 10_000)
        #expect(String(decoding: answers, as: UTF8.self) == "+PONG\r\n-ERR Protocol error: \(reason)\r\n")
    }

    @Test("A value of many chunks, and more answers than are sent at once")
    func large() throws {
        let value = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let (set, get) = ([Array("SET".utf8), [1], value], [Array("GET".utf8), [1]])
        let answers = try answers(
            to: command(set) + (0..<10).flatMap { _ in command(get) } + command("PING"), inPiecesOf: 100_000)
        let one = Array("$200000\r\n".utf8) + value + [13, 10]
        #expect(answers == Array("+OK\r\n".utf8) + (0..<10).flatMap { _ in one } + Array("+PONG\r\n".utf8))
    }

    @Test("Bytes broken at random never stop the parser: it finds what it finds in one piece")
    func fuzz() throws {
        var generator = SeededGenerator(seed: 7)
        let whole = command("SET", "key", "value") + command("GET", "key") + command("DEL", "a", "b")
        for _ in 0..<2_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(
                    in: .min ... .max, using: &generator)
            }
            func parsed(upTo count: Int) -> [[[UInt8]]] {
                var parser = CommandParser()
                var (commands, position) = ([[[UInt8]]](), 0)
                let span = bytes.span.extracting(first: count)
                while let end = try? parser.parse(span, from: position) {
                    commands.append(parser.arguments.map { [UInt8](copying: span.extracting($0)) })
                    position = end
                }
                return commands
            }
            let all = parsed(upTo: bytes.count)
            let some = parsed(upTo: Int.random(in: 0...bytes.count, using: &generator))
            #expect(Array(all.prefix(some.count)) == some)
        }
    }
}
