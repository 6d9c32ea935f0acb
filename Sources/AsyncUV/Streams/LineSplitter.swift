internal import UV

/// Bytes that have come and were not taken yet, with a cursor in them: lines and other pieces are taken without moving the
/// rest. The one place that knows where a line ends, for streams and files.
struct LineSplitter {
    /// What ends a piece.
    enum End {
        /// LF or CR LF, which are no part of the piece.
        case line
        /// This byte, which is a part of the piece.
        case delimiter(UInt8)

        fileprivate var last: UInt8 {
            switch self {
            case .line: UInt8(ascii: "\n")
            case .delimiter(let byte): byte
            }
        }
    }

    private var bytes: [UInt8] = []
    /// Where the rest begins.
    private var taken = 0
    /// Where to look on for the end that was looked for last.
    private var searched = 0
    private var searchedFor: UInt8?

    init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    var isEmpty: Bool { bytes.isEmpty }

    /// How many bytes nobody has taken.
    var count: Int { bytes.count - taken }

    /// Adds bytes behind the rest.
    mutating func append(_ more: [UInt8]) {
        if bytes.isEmpty { return bytes = more }
        bytes.removeFirst(taken)
        (searched, taken) = (max(searched, taken) - taken, 0)
        bytes += more
    }

    /// Puts bytes before the rest.
    mutating func prepend(_ more: [UInt8]) {
        searchedFor = nil
        if more.count <= taken {
            bytes.replaceSubrange(taken - more.count..<taken, with: more)
            taken -= more.count
        } else {
            bytes = more + bytes[taken...]
            taken = 0
        }
    }

    /// Takes some bytes; `nil` when there are none.
    mutating func take(upTo limit: Int) -> [UInt8]? {
        if bytes.isEmpty { return nil }
        let next = bytes[taken...].prefix(limit)
        defer { moveOn(to: next.endIndex) }
        return next.count == bytes.count ? bytes : Array(next)
    }

    /// Takes the next piece; `nil` when its end has not come yet.
    ///
    /// - Parameter limit: The longest piece, in bytes, without its end.
    /// - Parameter isLast: Whether no more bytes will come: what is left is a piece then.
    /// - Throws: ``UVError`` with `.messageTooLong` as soon as the piece is certain to be longer; nothing is taken.
    mutating func take(
        to end: End, limit: Int, isLast: Bool, _ operation: StaticString
    ) throws(UVError) -> ArraySlice<UInt8>? {
        let from = searchedFor == end.last ? max(searched, taken) : taken
        let stop = bytes[from...].firstIndex(of: end.last)
        (searched, searchedFor) = (stop ?? bytes.count, end.last)
        var piece = bytes[taken..<searched]
        // The CR may belong to an end that has not come as a whole.
        if case .line = end, piece.last == UInt8(ascii: "\r") { piece.removeLast() }
        if piece.count > limit { throw UVError(.messageTooLong, in: "\(operation)", of: "more than \(limit) bytes") }
        if stop == nil, !isLast || taken == bytes.count { return nil }
        let next = searched + (stop == nil ? 0 : 1)
        if case .delimiter = end { piece = bytes[taken..<next] }
        moveOn(to: next)
        return piece
    }

    /// The memory of what was taken goes with the last byte.
    private mutating func moveOn(to index: Int) {
        if index == bytes.count { self = LineSplitter() } else { taken = index }
    }
}
