internal import UV

/// Bytes that have come and were not taken yet, with a cursor in them: lines and other pieces are taken without moving the
/// rest. The one place that knows where a line ends, for streams and files.
struct LineSplitter {
    private var bytes: [UInt8] = []
    /// Where the rest begins.
    private var taken = 0
    /// Where to look on for the end that was looked for last, and was not there.
    private var searched = 0
    private var searchedFor: UInt8 = 0
    /// Of how many bytes a reader could use none: it wants more of them.
    private(set) var refused = 0

    init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    var isEmpty: Bool { taken == bytes.count }

    /// How many bytes nobody has taken yet.
    var count: Int { bytes.count - taken }

    // MARK: Filling

    /// Adds bytes behind the rest.
    mutating func append(_ more: [UInt8]) {
        if isEmpty {
            clear()
            bytes = more
        } else {
            makeRoom()
            bytes += more
        }
    }

    /// Adds bytes behind the rest, which the closure appends.
    @inline(__always)
    mutating func append(_ append: (inout [UInt8]) -> Void) {
        makeRoom()
        append(&bytes)
    }

    /// Moves the rest to the front, if it is not longer than what was taken: each byte is moved once, on average.
    @inline(__always)
    private mutating func makeRoom() {
        if bytes.isEmpty { return }
        if isEmpty {
            bytes.removeAll(keepingCapacity: true)
            clear()
        } else if taken >= count {
            bytes.removeFirst(taken)
            (searched, taken) = (max(searched, taken) - taken, 0)
        }
    }

    /// Puts bytes before the rest.
    mutating func prepend(_ more: [UInt8]) {
        if more.count <= taken {
            bytes.replaceSubrange(taken - more.count..<taken, with: more)
            taken -= more.count
        } else {
            bytes = more + bytes[taken...]
            taken = 0
        }
        (searched, refused) = (0, 0)
    }

    // MARK: Taking

    /// Takes some bytes; `nil` when there are none.
    mutating func take(upTo limit: Int) -> [UInt8]? {
        if isEmpty { return nil }
        refused = 0
        if taken == 0, bytes.count <= limit { return takeMemory() }
        let next = taken..<taken + min(limit, count)
        taken = next.upperBound
        return Array(bytes[next])
    }

    /// Appends some of the bytes to an array.
    ///
    /// - Returns: How many.
    mutating func take(upTo limit: Int, into array: inout [UInt8]) -> Int {
        let next = taken..<taken + min(limit, count)
        array.append(copying: bytes.span.extracting(next))
        taken = next.upperBound
        refused = 0
        return next.count
    }

    /// Takes the next line as text; `nil` when its end has not come yet. Otherwise as ``takeLine(limit:isLast:_:)``.
    mutating func takeText(limit: Int, isLast: Bool, _ operation: StaticString) throws(UVError) -> String? {
        guard let line = try nextLine(limit, isLast, operation) else { return nil }
        return String(decoding: bytes[line], as: UTF8.self)
    }

    /// Takes the next line, without its end: LF or CR LF; `nil` when its end has not come yet.
    ///
    /// - Parameter limit: The longest line, in bytes, without its end.
    /// - Parameter isLast: Whether no more bytes will come: what is left is a line then.
    /// - Throws: ``UVError`` with `.messageTooLong` as soon as the line is certain to be longer; nothing is taken.
    mutating func takeLine(limit: Int, isLast: Bool, _ operation: StaticString) throws(UVError) -> [UInt8]? {
        guard let line = try nextLine(limit, isLast, operation) else { return nil }
        return [UInt8](copying: bytes.span.extracting(line))
    }

    /// Takes the next bytes up to and including a delimiter. Otherwise as ``takeLine(limit:isLast:_:)``; the limit leaves the
    /// delimiter out.
    mutating func take(
        through delimiter: UInt8, limit: Int, isLast: Bool, _ operation: StaticString
    ) throws(UVError) -> [UInt8]? {
        let start = taken
        guard let end = try find(delimiter, limit, isLast, dropsReturn: false, operation) else { return nil }
        taken = min(end + 1, bytes.count)
        return [UInt8](copying: bytes.span.extracting(start..<taken))
    }

    @inline(__always)
    private mutating func nextLine(
        _ limit: Int, _ isLast: Bool, _ operation: StaticString
    ) throws(UVError) -> Range<Int>? {
        let start = taken
        guard let end = try find(UInt8(ascii: "\n"), limit, isLast, dropsReturn: true, operation) else { return nil }
        taken = min(end + 1, bytes.count)
        return start..<(endsWithReturn(start..<end) ? end - 1 : end)
    }

    /// Where the next piece ends: at the delimiter, or at the end of all bytes.
    ///
    /// - Parameter dropsReturn: Whether a CR before the delimiter is no part of the piece.
    @inline(__always)
    private mutating func find(
        _ delimiter: UInt8, _ limit: Int, _ isLast: Bool, dropsReturn: Bool, _ operation: StaticString
    ) throws(UVError) -> Int? {
        let from = searchedFor == delimiter ? max(searched, taken) : taken
        let end = bytes.span.firstIndex(of: delimiter, from: from)
        refused = 0
        if let end, end - taken <= limit { return end }
        // Whether or not it is too long, it need not be looked through again.
        (searched, searchedFor) = (end ?? bytes.count, delimiter)
        // The CR may belong to an end that has not come as a whole.
        let length = searched - taken - (dropsReturn && endsWithReturn(taken..<searched) ? 1 : 0)
        if length > limit { throw tooLong(limit, operation) }
        if end == nil, !isLast || isEmpty { return nil }
        return searched
    }

    @inline(__always)
    private func endsWithReturn(_ piece: Range<Int>) -> Bool {
        !piece.isEmpty && bytes[piece.upperBound - 1] == UInt8(ascii: "\r")
    }

    @inline(never)
    private func tooLong(_ limit: Int, _ operation: StaticString) -> UVError {
        UVError(.messageTooLong, in: "\(operation)", of: "more than \(limit) bytes")
    }

    // MARK: Lending

    /// Lends all bytes to a body, which says how many it has used. If it has used none, it wants more of them: see ``refused``.
    ///
    /// - Throws: What the body throws, ``UVError`` with `.invalidArgument` for a number that cannot be; nothing is taken then.
    mutating func lend(_ operation: StaticString, _ body: (Span<UInt8>) throws -> Int) throws -> Int {
        let count = count
        let used = try body(bytes.span.extracting(droppingFirst: taken))
        guard used >= 0, used <= count else {
            throw UVError(.invalidArgument, in: "\(operation)", of: "\(used) bytes used of \(count)")
        }
        taken += used
        refused = used == 0 ? count : 0
        return used
    }

    /// Takes the memory, to be used for something else. What was not taken yet is in it only if nothing was taken.
    mutating func takeMemory() -> [UInt8] {
        var memory: [UInt8] = []
        swap(&memory, &bytes)
        clear()
        return memory
    }

    /// Gives it an array with room, whose bytes mean nothing, while it has no memory.
    @inline(__always)
    mutating func giveMemory(_ memory: consuming [UInt8]) {
        bytes = memory
        taken = bytes.count
    }

    /// Whether there is memory.
    var hasMemory: Bool { bytes.capacity > 0 }

    private mutating func clear() { (taken, searched, refused) = (0, 0, 0) }
}
