/// Parts of files that were in memory within the last second, because they were found there or have been read since: of one
/// loop. What is asked for again and again is not looked for each time.
///
/// The system may forget a part meanwhile; then the loop's thread waits for a disk, once.
struct RecentPieces {
    private struct Key: Hashable {
        let file: FileIdentity
        let mebibyte: Int64
    }

    private struct Piece {
        var range: Range<Int64>
        /// Of the part that was seen first, in milliseconds.
        let time: UInt64
    }

    private static let most = 1_024
    private var pieces: [Key: Piece] = [:]

    /// How many bytes from an offset on are in memory, as far as is known.
    func count(of file: FileIdentity, at offset: Int64, now: UInt64) -> Int {
        guard let piece = pieces[Key(file: file, mebibyte: offset >> 20)], now &- piece.time < 1_000,
            piece.range.contains(offset)
        else { return 0 }
        return Int(piece.range.upperBound - offset)
    }

    mutating func add(_ count: Int, of file: FileIdentity, at offset: Int64, now: UInt64) {
        let (end, isBehindAllFiles) = offset.addingReportingOverflow(Int64(count))
        if count <= 0 || isBehindAllFiles { return }
        let key = Key(file: file, mebibyte: offset >> 20)
        if let piece = pieces[key], now &- piece.time < 1_000, piece.range.upperBound >= offset,
            piece.range.lowerBound <= end
        {
            let range = min(piece.range.lowerBound, offset)..<max(piece.range.upperBound, end)
            pieces[key] = Piece(range: range, time: piece.time)
            return
        }
        if pieces.count >= Self.most { pieces = [:] }
        pieces[key] = Piece(range: offset..<end, time: now)
    }
}

/// Tells a file from all others, as long as it is open.
package struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    package init(_ status: FileStatus) { (device, inode) = (status.device, status.inode) }
}
