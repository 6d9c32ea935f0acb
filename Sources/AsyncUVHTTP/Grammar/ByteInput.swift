internal import UV

/// What has come on a connection and was not taken yet.
struct ByteInput: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Where the rest begins.
    private(set) var taken = 0
    /// Up to where there is no end of a line.
    private(set) var searched = 0

    var count: Int { bytes.count - taken }
    var isEmpty: Bool { taken == bytes.count }

    /// Adds what has come.
    mutating func append(_ more: [UInt8]) {
        if isEmpty {
            bytes = more
            searched = 0
        } else {
            // Nothing was taken of a line that comes byte by byte.
            if taken > 0 { bytes.removeFirst(taken) }
            bytes += more
            searched = max(0, searched - taken)
        }
        taken = 0
    }

    /// Takes bytes up to a position. An idle connection holds no memory.
    @inline(__always)
    mutating func take(to position: Int) {
        if position == bytes.count {
            clear()
        } else {
            taken = position
            searched = max(searched, position)
        }
    }

    /// No end of a line is in what is there.
    mutating func noteSearched() { searched = bytes.count }

    /// Takes some bytes; as they came, when they are all that is there.
    mutating func takePiece(upTo limit: Int) -> [UInt8] {
        if taken == 0, bytes.count <= limit {
            let piece = bytes
            clear()
            return piece
        }
        let end = taken + min(limit, count)
        let piece = Array(bytes[taken..<end])
        take(to: end)
        return piece
    }

    mutating func clear() {
        bytes = []
        taken = 0
        searched = 0
    }

    /// Where the line that begins at a position ends: its LF.
    func endOfLine(from start: Int) -> Int? { bytes.span.firstIndex(of: .lineFeed, from: max(searched, start)) }
}
