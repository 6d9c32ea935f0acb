internal import UV

/// What may follow the size of a chunk: `;name`, `;name=word`, `;name="text"`, which mean nothing here. Spaces before a part are bad manners that
/// the RFC has everybody understand; at the end they are not.
struct ChunkExtensions {
    private let text: [UInt8]
    private var position = 0

    /// Whether bytes are extensions and nothing else: where two programs disagree about that, they disagree about where the chunk begins.
    static func areExtensions(_ bytes: Span<UInt8>) -> Bool {
        var extensions = ChunkExtensions(text: [UInt8](copying: bytes))
        return extensions.read()
    }

    private mutating func read() -> Bool {
        repeat {
            guard take(UInt8(ascii: ";")), skip(while: \.isOfWord) else { return false }
            guard take(UInt8(ascii: "=")) else { continue }
            guard take(.quote) ? readText() : skip(while: \.isOfWord) else { return false }
        } while position < text.count
        return true
    }

    /// The rest of a text in quotes. A backslash stands before a character that means nothing then.
    private mutating func readText() -> Bool {
        while position < text.count {
            let byte = text[position]
            position += byte == .backslash ? 2 : 1
            if byte == .quote { return true }
            guard position <= text.count, text[position - 1].isOfText else { return false }
        }
        return false
    }

    /// With the spaces around it; nothing when there is another one.
    private mutating func take(_ byte: UInt8) -> Bool {
        let start = position
        skipSpaces()
        guard position < text.count, text[position] == byte else {
            position = start
            return false
        }
        position += 1
        if byte != .quote { skipSpaces() }
        return true
    }

    private mutating func skip(while passes: (UInt8) -> Bool) -> Bool {
        let start = position
        while position < text.count, passes(text[position]) { position += 1 }
        return position > start
    }

    private mutating func skipSpaces() { _ = skip { $0 == .space || $0 == .tab } }
}
