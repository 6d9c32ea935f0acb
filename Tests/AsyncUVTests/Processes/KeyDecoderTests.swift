import AsyncUV
import Testing

@Suite struct KeyDecoderTests {
    /// All keys of some bytes, given at once and one by one.
    private func keys(_ bytes: [UInt8]) -> [Key] {
        var whole = KeyDecoder()
        whole.append(bytes)
        var keys: [Key] = []
        while let key = whole.next() { keys.append(key) }
        whole.flush()
        while let key = whole.next() { keys.append(key) }
        var pieces = KeyDecoder()
        var others: [Key] = []
        for byte in bytes {
            pieces.append([byte])
            while let key = pieces.next() { others.append(key) }
        }
        pieces.flush()
        while let key = pieces.next() { others.append(key) }
        #expect(keys == others)
        #expect(!whole.isIncomplete && !pieces.isIncomplete)
        return keys
    }

    private func keys(_ text: String) -> [Key] { keys(Array(text.utf8)) }

    @Test func characters() {
        #expect(keys("aZ é€😀") == [Key("a"), Key("Z"), Key(" "), Key("é"), Key("€"), Key("😀")])
    }

    @Test func controls() {
        #expect(keys("\r\n\t\u{7f}\u{8}") == [Key(.enter), Key(.enter), Key(.tab), Key(.backspace), Key(.backspace)])
        #expect(keys("\u{1}\u{3}\u{1a}\u{0}\u{1c}") == ["a", "c", "z", " ", "\\"].map { Key.control($0) })
    }

    @Test func arrowsAndRelatives() {
        let arrows = [Key.Code.up, .down, .right, .left].map { Key($0) }
        #expect(keys("\u{1b}[A\u{1b}[B\u{1b}[C\u{1b}[D") == arrows)
        #expect(keys("\u{1b}OA\u{1b}OB\u{1b}OC\u{1b}OD") == arrows)
        #expect(
            keys("\u{1b}[H\u{1b}[F\u{1b}[1~\u{1b}[4~\u{1b}[7~\u{1b}[8~")
                == [.home, .end, .home, .end, .home, .end].map { Key($0) })
        #expect(keys("\u{1b}[2~\u{1b}[3~\u{1b}[5~\u{1b}[6~") == [.insert, .delete, .pageUp, .pageDown].map { Key($0) })
        #expect(
            keys("\u{1b}OP\u{1b}[15~\u{1b}[17~\u{1b}[21~\u{1b}[24~\u{1b}[[A")
                == [1, 5, 6, 10, 12, 1].map { Key(.function($0)) })
    }

    @Test func modifiers() {
        #expect(
            keys("\u{1b}[1;2A\u{1b}[1;5C\u{1b}[3;3~") == [Key(.up, .shift), Key(.right, .control), Key(.delete, .alt)])
        #expect(
            keys("\u{1b}[Z\u{1b}x\u{1b}é\u{1b}\r") == [
                Key(.tab, .shift), Key(.character("x"), .alt), Key(.character("é"), .alt), Key(.enter, .alt),
            ])
        #expect(keys("\u{1b}[1;99999999999999999999A") == [Key(.up)])
    }

    @Test func escapeAlone() {
        #expect(keys("\u{1b}") == [Key(.escape)])
        #expect(keys("\u{1b}\u{1b}[A") == [Key(.escape), Key(.up)])
        var decoder = KeyDecoder()
        decoder.append([0x1b])
        #expect(decoder.next() == nil && decoder.isIncomplete)
        decoder.append(Array("[A".utf8))
        #expect(decoder.next() == Key(.up) && !decoder.isIncomplete)
        // Half of a sequence, and nothing else comes.
        #expect(keys("\u{1b}[") == [Key(.escape), Key("[")])
    }

    @Test func whatIsUnknownOrWrong() {
        #expect(keys("\u{1b}[99~a") == [Key(.unknown(Array("\u{1b}[99~".utf8))), Key("a")])
        #expect(keys("\u{1b}Oza") == [Key(.unknown(Array("\u{1b}Oz".utf8))), Key("a")])
        #expect(
            keys([0xff, 0x61, 0xc3, 0x61, 0xe2, 0x82])
                == ["\u{fffd}", "a", "\u{fffd}", "a", "\u{fffd}"].map { Key(Character($0)) })
        let long = [0x1b, 0x5b] + [UInt8](repeating: 0x31, count: 100)
        #expect(!keys(long).isEmpty)
    }

    @Test("Numbers of modifiers that no terminal has") func absurdNumbers() {
        for number in ["-9223372036854775808", "9223372036854775807", "0", "-1", "17", "99999999999999999999"] {
            #expect(keys(Array("\u{1b}[1;\(number)A".utf8)).first?.code == .up)
        }
        #expect(keys(Array("\u{1b}[1;0A".utf8)) == [Key(.up)])
    }

    @Test("Anything is decoded to its end") func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<1_000 {
            let alphabet: [UInt8] = [0x1b, 0x5b, 0x4f, 0x31, 0x3b, 0x7e, 0x41, 0xc3, 0xa9, 0xff, 0x00]
            let bytes = (0..<20).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            var decoder = KeyDecoder()
            decoder.append(bytes)
            while decoder.next() != nil {}
            decoder.flush()
            while decoder.next() != nil {}
            #expect(!decoder.isIncomplete, "\(bytes)")
        }
    }

    @Test func descriptions() {
        let keys = [
            Key.control("c"), Key(.up, .shift), Key(.function(5)), Key(.character("x"), .alt), Key(" "), Key(.pageUp),
        ]
        #expect(keys.map(\.description) == ["Ctrl-C", "Shift-Up", "F5", "Alt-x", "Space", "PageUp"])
    }
}
