@testable import AsyncUVHTTP
import TestSupport
import Testing
import UV

/// Cases of the Autobahn test suite, written anew from the standard.
@Suite struct WebSocketDecoderTests {
    typealias Event = WebSocketDecoder.Event

    /// What comes of bytes that arrive in these pieces.
    private static func events(
        _ pieces: [[UInt8]], role: WebSocketRole = .server, limits: WebSocketLimits = WebSocketLimits()
    ) throws(WebSocketError) -> [Event] {
        var decoder = WebSocketDecoder(role, limits)
        var events: [Event] = []
        for piece in pieces {
            decoder.append(piece)
            while let event = try decoder.next() { events.append(event) }
        }
        return events
    }

    private static func error(
        _ bytes: [UInt8], role: WebSocketRole = .server, limits: WebSocketLimits = WebSocketLimits()
    ) -> WebSocketError? {
        do {
            _ = try events([bytes], role: role, limits: limits)
            return nil
        } catch { return error }
    }

    /// A conversation with everything in it.
    private static func conversation(masked: Bool) -> (bytes: [UInt8], events: [Event]) {
        func frame(_ first: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
            Frames.frame(first, payload, masked: masked)
        }
        let long = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        let text = Array("κόσμε 🚀".utf8)
        var bytes = frame(0x81, Array("Hello".utf8)) + frame(0x82, long) + frame(0x89, [1, 2]) + frame(0x8A)
        bytes += frame(0x01, Array(text[..<3])) + frame(0x89, Array("between".utf8)) + frame(0x00)
        bytes += frame(0x00, Array(text[3..<12])) + frame(0x8A, [9]) + frame(0x80, Array(text[12...]))
        bytes += frame(0x81) + frame(0x82) + frame(0x02, [7]) + frame(0x80, [8])
        bytes += frame(0x88, [0x03, 0xE8] + Array("bye".utf8))
        let events: [Event] = [
            .message(.text("Hello")), .message(.binary(long)), .ping([1, 2]), .pong([]), .ping(Array("between".utf8)),
            .pong([9]), .message(.text("κόσμε 🚀")), .message(.text("")), .message(.binary([])),
            .message(.binary([7, 8])), .close(.normal, "bye"),
        ]
        return (bytes, events)
    }

    @Test(arguments: [WebSocketRole.server, .client])
    func everySplitPointGivesTheSame(_ role: WebSocketRole) throws {
        let (bytes, expected) = Self.conversation(masked: role == .server)
        for split in 0...bytes.count {
            #expect(try Self.events([Array(bytes[..<split]), Array(bytes[split...])], role: role) == expected)
        }
        #expect(try Self.events(bytes.map { [$0] }, role: role) == expected)
        for size in [2, 3, 5, 7, 64] {
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min($0 + size, bytes.count)])
            }
            #expect(try Self.events(pieces, role: role) == expected)
        }
    }

    @Test func randomPiecesOfRandomMessages() throws {
        var random = SeededGenerator(seed: 17)
        for _ in 0..<200 {
            var bytes: [UInt8] = []
            var expected: [Event] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let payload = (0..<Int.random(in: 0...400, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                var rest = payload[...]
                var first: UInt8 = 0x02
                repeat {
                    let count = Int.random(in: 0...rest.count, using: &random)
                    let key = (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
                    bytes += Frames.frame(
                        first | (count == rest.count ? 0x80 : 0), Array(rest.prefix(count)), masked: true, key: key)
                    (first, rest) = (0, rest.dropFirst(count))
                } while bytes.isEmpty || !rest.isEmpty
                // The last frame may have been empty and not final.
                if rest.isEmpty, first == 0, !Self.isFinished(bytes) { bytes += Frames.frame(0x80, masked: true) }
                expected.append(.message(.binary(payload)))
            }
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...50, using: &random)
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(try Self.events(pieces) == expected)
        }
    }

    /// Right bytes with a few of them changed: whatever comes of them, it does not depend on how they are cut.
    @Test func brokenBytesMeanTheSameHoweverTheyAreCut() {
        func outcome(_ pieces: [[UInt8]]) -> (events: [Event], error: WebSocketError?) {
            var decoder = WebSocketDecoder(.server, WebSocketLimits(message: 1_000))
            var events: [Event] = []
            for piece in pieces {
                decoder.append(piece)
                do { while let event = try decoder.next() { events.append(event) } } catch { return (events, error) }
            }
            return (events, nil)
        }
        var random = SeededGenerator(seed: 6455)
        let (right, _) = Self.conversation(masked: true)
        for _ in 0..<3_000 {
            var bytes = right
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
                default: bytes.remove(at: index)
                }
            }
            let size = Int.random(in: 1...40, using: &random)
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min($0 + size, bytes.count)])
            }
            let (whole, cut) = (outcome([bytes]), outcome(pieces))
            #expect(whole.events == cut.events)
            // A frame that is never whole may be found wrong by its first part.
            #expect(whole.error == cut.error || whole.error?.kind == .invalidText || cut.error?.kind == .invalidText)
        }
    }

    private static func isFinished(_ bytes: [UInt8]) -> Bool {
        (Frames.parse(bytes).last?.first ?? 0) & 0x80 != 0
    }

    @Test(arguments: [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, 200_000])
    func lengths(_ count: Int) throws {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for masked in [true, false] {
            let bytes = Frames.frame(0x82, payload, masked: masked)
            #expect(try Self.events([bytes], role: masked ? .server : .client) == [.message(.binary(payload))])
            let ours = WebSocketFrame.bytes(.binary, payload.span, key: masked ? 0x3D21_FA37 : nil)
            #expect(ours == bytes)
        }
    }

    @Test func whatBreaksTheProtocol() {
        let wrong: [(String, [UInt8])] =
            [
                ("reserved bit 1", Frames.frame(0xC1, masked: true)),
                ("reserved bit 2", Frames.frame(0xA1, masked: true)),
                ("reserved bit 3", Frames.frame(0x99, masked: true)),
                ("not masked", Frames.text("Hello", masked: false)),
                ("a ping in parts", Frames.frame(0x09, masked: true)),
                ("a close in parts", Frames.frame(0x08, [3, 232], masked: true)),
                ("a ping of 126 bytes", Frames.frame(0x89, [UInt8](repeating: 0, count: 126), masked: true)),
                ("a part of nothing", Frames.frame(0x80, [1], masked: true)),
                (
                    "a last part twice",
                    Frames.frame(0x01, masked: true) + Frames.frame(0x80, masked: true)
                        + Frames.frame(0x80, masked: true)
                ),
                ("a message in a message", Frames.frame(0x01, [65], masked: true) + Frames.text("B", masked: true)),
                ("5 in two bytes", [0x82, 0xFE, 0, 5]), ("125 in two bytes", [0x82, 0xFE, 0, 125] + Frames.key),
                ("65,535 in eight bytes", [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] + Frames.key),
                ("2^63", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0] + Frames.key),
                ("a close of one byte", Frames.frame(0x88, [3], masked: true)),
            ] + [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map { ("kind \($0)", Frames.frame(0x80 | $0, masked: true)) }
            + [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map {
                ("close \($0)", Frames.close($0, masked: true))
            }
        for (name, bytes) in wrong {
            let bytes = name == "5 in two bytes" ? bytes + Frames.key : bytes
            #expect(Self.error(bytes)?.kind == .protocolViolation, "\(name)")
            #expect(Self.error(bytes)?.closeCode == .protocolError, "\(name)")
        }
        #expect(Self.error(Frames.text("Hello", masked: true), role: .client)?.kind == .protocolViolation)
    }

    @Test(
        arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
            as [UInt16])
    func closeCodesThatMayBeSent(_ code: UInt16) throws {
        let reason = String(repeating: "é", count: 61)
        let expected = try #require(WebSocketCloseCode(rawValue: code))
        #expect(try Self.events([Frames.close(code, reason, masked: true)]) == [.close(expected, reason)])
    }

    @Test func closeWithoutACode() throws {
        #expect(try Self.events([Frames.frame(0x88, masked: true)]) == [.close(.noStatus, "")])
    }

    /// Byte sequences that are no UTF-8, each with how many of its bytes are right.
    static let notUTF8: [([UInt8], Int)] = [
        ([0x80], 0), ([0xBF], 0), ([0xC0, 0xAF], 0), ([0xC1, 0xBF], 0), ([0xC2, 0x20], 1), ([0xE0, 0x80, 0xAF], 1),
        ([0xE0, 0x9F, 0xBF], 1), ([0xED, 0xA0, 0x80], 1), ([0xED, 0xBF, 0xBF], 1), ([0xE2, 0x82, 0x28], 2),
        ([0xF0, 0x80, 0x80, 0xAF], 1), ([0xF0, 0x8F, 0xBF, 0xBF], 1), ([0xF4, 0x90, 0x80, 0x80], 1),
        ([0xF5, 0x80, 0x80, 0x80], 0), ([0xF8, 0x88, 0x80, 0x80, 0x80], 0), ([0xFE], 0), ([0xFF], 0),
        ([0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5, 0xED, 0xA0, 0x80, 0x65], 12),
    ]

    @Test func wrongTextIsFoundWithItsFirstWrongByte() throws {
        for (bytes, right) in Self.notUTF8 {
            #expect(Self.error(Frames.frame(0x81, bytes, masked: true))?.kind == .invalidText, "\(bytes)")
            // Behind ASCII, so that the fast path is left.
            let long = [UInt8](repeating: 65, count: 21) + bytes
            #expect(Self.error(Frames.frame(0x81, long, masked: true))?.closeCode == .invalidPayload, "\(bytes)")
            // A frame a byte; the message has not ended.
            var decoder = WebSocketDecoder(.server, WebSocketLimits())
            for (index, byte) in bytes.enumerated() {
                decoder.append(Frames.frame(index == 0 ? 0x01 : 0x00, [byte], masked: true))
                guard index >= right else {
                    #expect(try decoder.next() == nil)
                    continue
                }
                #expect(throws: WebSocketError.self, "\(bytes)") { try decoder.next() }
                break
            }
        }
    }

    @Test func textThatEndsInACharacter() {
        for bytes: [UInt8] in [[0xCE], [0xE1, 0xBD], [0xF0, 0x9F, 0x9A]] {
            #expect(Self.error(Frames.frame(0x81, bytes, masked: true))?.kind == .invalidText)
            let inParts = Frames.frame(0x01, bytes, masked: true) + Frames.frame(0x80, masked: true)
            #expect(Self.error(inParts)?.kind == .invalidText)
        }
        #expect(Self.error(Frames.frame(0x88, [3, 232, 0xFF], masked: true))?.kind == .invalidText)
    }

    @Test func everyCharacterIsRight() throws {
        let scalars = (0...0x10FFFF).lazy.filter { $0 % 61 == 0 || $0 > 0x10FFF0 || (0xD7F0...0xE010).contains($0) }
            .compactMap { Unicode.Scalar(UInt32($0)) }
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        let bytes = Array(text.utf8)
        let pieces = stride(from: 0, to: bytes.count, by: 1_001).map { Array(bytes[$0..<min($0 + 1_001, bytes.count)]) }
        var frames: [UInt8] = []
        for (index, piece) in pieces.enumerated() {
            frames += Frames.frame((index == 0 ? 1 : 0) | (index == pieces.count - 1 ? 0x80 : 0), piece, masked: true)
        }
        #expect(try Self.events([frames]) == [.message(.text(text))])
    }

    @Test func limitsHoldForHeadersAlready() {
        let limits = WebSocketLimits(message: 1_000, frame: 600)
        let header: [UInt8] = [0x82, 0xFE, 0x02, 0x59] + Frames.key
        #expect(Self.error(header, limits: limits)?.kind == .tooLarge)
        let huge: [UInt8] = [0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] + Frames.key
        #expect(Self.error(huge)?.closeCode == .messageTooBig)
        let part = [UInt8](repeating: 1, count: 600)
        let fits = Frames.frame(0x02, part, masked: true) + Frames.frame(0x80, Array(part[..<400]), masked: true)
        #expect(Self.error(fits, limits: limits) == nil)
        let tooMuch = Frames.frame(0x02, part, masked: true) + Frames.frame(0x80, Array(part[..<401]), masked: true)
        #expect(Self.error(tooMuch, limits: limits)?.kind == .tooLarge)
        // A small limit leaves room for control frames.
        let ping = Frames.frame(0x89, Array(part[..<100]), masked: true)
        #expect(Self.error(ping, limits: WebSocketLimits(message: 10)) == nil)
    }

    @Test func masksAtEachOffsetAndLength() {
        for start in 0..<9 {
            for count in 0..<40 {
                var bytes = (0..<start + count).map { UInt8($0) }
                bytes.exclusiveOr(from: start, with: 0x0403_0201)
                let expected = (0..<start + count).map { index in
                    index < start ? UInt8(index) : UInt8(index) ^ UInt8((index - start) % 4 + 1)
                }
                #expect(bytes == expected)
            }
        }
    }

    @Test func reasonsAreCutBetweenCharacters() {
        let payload = WebSocketFrame.closePayload(.normal, String(repeating: "€", count: 100))
        #expect(payload.count == 125)
        #expect(String(validating: payload[2...], as: UTF8.self) == String(repeating: "€", count: 41))
        #expect(WebSocketFrame.closePayload(.noStatus, "no code, no reason").isEmpty)
    }
}
