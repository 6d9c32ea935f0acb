import AsyncUV
import TestSupport
import Testing

/// Lines of text from a stream.
@Suite(.ownThread) struct LinesTests {
    private func lines(of text: [UInt8], limit: Int = 1 << 20) throws -> [String] {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let writing = loop.spawn {
                try await far.write(text)
                await far.close()
            }
            var lines: [String] = []
            for try await line in near.lines(limit: limit) { lines.append(line) }
            try await writing.value
            return lines
        }
    }

    @Test func endsOfLines() throws {
        #expect(try lines(of: Array("one\ntwo\r\n\n\r\nlast".utf8)) == ["one", "two", "", "", "last"])
        #expect(try lines(of: Array("one\n".utf8)) == ["one"])
        #expect(try lines(of: Array("a\rb\n\r\r\n".utf8)) == ["a\rb", "\r"])
        #expect(try lines(of: []) == [])
        #expect(try lines(of: [10]) == [""])
    }

    @Test func wrongUTF8IsRepaired() throws {
        #expect(try lines(of: [0x61, 0xff, 0x62, 10, 0xc3, 0xa9, 10]) == ["a\u{fffd}b", "é"])
    }

    @Test func linesThatAreTooLong() throws {
        expectError(.messageTooLong) {
            try lines(of: Array("short\n".utf8) + [UInt8](repeating: 65, count: 200), limit: 100)
        }
    }

    @Test func linesInManyPieces() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let text = (0..<50).map { "line \($0)" }
            let writing = loop.spawn {
                for byte in text.joined(separator: "\r\n").utf8 {
                    try await far.write([byte])
                    if byte % 3 == 0 { try await loop.waitUntilIdle() }
                }
                await far.close()
            }
            var lines: [String] = []
            for try await line in near.lines() { lines.append(line) }
            #expect(lines == text)
            try await writing.value
        }
    }

    @Test("Lines as bytes, and texts and bytes in turns")
    func byteLines() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await far.write("one\r\n\u{0}two\n\nthree\nfour\r")
            try await far.finishWriting()
            #expect(try await near.readLineBytes() == Array("one".utf8))
            #expect(try await near.readLine() == "\u{0}two")
            await expectError(.messageTooLong) { for try await _ in near.byteLines(limit: -1) {} }
            let rest = try await near.byteLines().reduce(into: []) { $0.append($1) }
            #expect(rest == ["", "three", "four"].map { Array($0.utf8) })
            #expect(try await near.readLineBytes() == nil)
        }
    }

    @Test("Lines longer than a chunk, and many that end in the next one")
    func longLines() throws {
        let lengths = (0..<60).map { $0 * $0 * 97 % 150_001 }
        let text = lengths.map { String(repeating: "x", count: $0) }
        #expect(try lines(of: Array(text.joined(separator: "\r\n").utf8)) == text)
    }

    @Test("What follows the lines stays in the connection")
    func theRestOfTheStream() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await far.write(Array("header\n\nbody".utf8))
            for try await line in near.lines() where line.isEmpty { break }
            #expect(try await near.read() == Array("body".utf8))
        }
    }

    @Test("A flood of empty lines costs time in proportion to its bytes, not to their square")
    func emptyLines() throws {
        let count = 300_000
        #expect(try lines(of: [UInt8](repeating: 10, count: count)).count == count)
    }
}
