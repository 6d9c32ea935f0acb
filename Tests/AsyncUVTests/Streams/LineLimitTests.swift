import AsyncUV
import TestSupport
import Testing

/// A limit means the same to all who read lines: it counts a line without its end.
@Suite(.ownThread) struct LineLimitTests {
    /// The first line of a text, to readers that allow so many bytes.
    struct Case: CustomTestStringConvertible {
        let text: String
        let limit: Int
        /// `nil`: it is too long.
        let line: String?

        init(_ text: String, _ limit: Int, _ line: String?) { (self.text, self.limit, self.line) = (text, limit, line) }

        var testDescription: String { "\(text.debugDescription), at most \(limit)" }

        static let lines = [
            Case("abcde\n", 5, "abcde"), Case("abcde\r\n", 5, "abcde"), Case("abcde", 5, "abcde"),
            Case("abcde\r", 5, "abcde"), Case("abcde\r\r\n", 6, "abcde\r"), Case("abcde\nr", 5, "abcde"),
            Case("\n", 0, ""), Case("\r\n", 0, ""), Case("a\n", .max, "a"),
            Case("abcdef\n", 5, nil), Case("abcdef", 5, nil), Case("abcde\r\r\n", 5, nil), Case("abcdef\r\n", 5, nil),
            Case("a\n", 0, nil), Case("\n", -1, nil),
        ]

        static let pieces = [
            Case("abcde;", 5, "abcde;"), Case("abcde", 5, "abcde"), Case("abcde;f", 5, "abcde;"), Case(";", 0, ";"),
            Case("a;", .max, "a;"), Case("abcdef;", 5, nil), Case("abcdef", 5, nil), Case("abcde\r;", 5, nil),
            Case("a", 0, nil), Case(";", -1, nil),
        ]

        /// What a reader gets of the text, sent to it as a whole and then byte by byte; what was too long it can read again.
        func read(_ body: @escaping @Sendable (TCPConnection) async throws -> String?) throws -> [String?] {
            try onLoop { loop in
                var read: [String?] = []
                for pieces in [[Array(text.utf8)], text.utf8.map { [$0] }] {
                    let (near, far) = try await connectedPair()
                    let writing = loop.spawn {
                        for piece in pieces {
                            try await far.write(piece)
                            try await loop.waitUntilIdle()
                        }
                        try await far.finishWriting()
                    }
                    do { read.append(try await body(near)) } catch let error as UVError
                        where error.code == .messageTooLong
                    {
                        read.append(nil)
                        #expect(try await near.readToEnd() == Array(text.utf8))
                    }
                    try await writing.value
                    await near.close()
                    await far.close()
                }
                return read
            }
        }
    }

    @Test(arguments: Case.lines) func readLine(_ test: Case) throws {
        #expect(try test.read { try await $0.readLine(limit: test.limit) } == [test.line, test.line])
    }

    @Test(arguments: Case.lines) func lines(_ test: Case) throws {
        #expect(try test.read { try await $0.lines(limit: test.limit).first { _ in true } } == [test.line, test.line])
    }

    @Test(arguments: Case.pieces) func readUntil(_ test: Case) throws {
        let read = try test.read {
            try await $0.readUntil(UInt8(ascii: ";"), limit: test.limit).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(read == [test.line, test.line])
    }

    @Test("A line is refused as soon as it is certain to be too long: its end may never come")
    func refusedBeforeItsEnd() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await far.write(Array("abcdef".utf8))
            await expectError(.messageTooLong) { try await near.readLine(limit: 5) }
            await expectError(.messageTooLong) { try await near.readUntil(10, limit: 5) }
            await expectError(.messageTooLong) {
                for try await _ in near.lines(limit: 5) {}
            }
            // The end of this one may be CR LF.
            try await far.write(Array("\n12345\r".utf8))
            #expect(try await near.readLine() == "abcdef")
            async let line = near.readLine(limit: 5)
            try await loop.waitUntilIdle()
            try await far.write([10])
            #expect(try await line == "12345")
        }
    }

    @Test("What is left behind a piece is there for every other way to read, and what is given back comes first")
    func otherReadsInBetween() throws {
        try onLoop { _ in
            let (near, far) = try await connectedPair()
            try await far.write(Array("one\ntwo;three\nfour;five;six\nseven".utf8))
            try await far.finishWriting()
            #expect(try await near.readLine() == "one")
            #expect(try await near.readUntil(UInt8(ascii: ";")) == Array("two;".utf8))
            await expectError(.messageTooLong) { try await near.readLine(limit: 4) }
            #expect(try await near.read(upTo: 2) == Array("th".utf8))
            #expect(try await near.readLine() == "ree")
            try await near.unread(Array("ree\n".utf8))
            #expect(try await near.readLine() == "ree")
            #expect(try await near.read(exactly: 4) == Array("four".utf8))
            try await near.unread(Array("a\nb;\nlonger than all that was taken before\n".utf8))
            #expect(try await near.readUntil(UInt8(ascii: ";")) == Array("a\nb;".utf8))
            #expect(
                try await near.lines().reduce(into: []) { $0.append($1) } == [
                    "", "longer than all that was taken before", ";five;six", "seven",
                ])
            #expect(try await near.readLine() == nil)
            await near.close()
            await far.close()
        }
    }
}
