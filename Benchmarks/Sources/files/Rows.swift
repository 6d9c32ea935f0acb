import Measurement

/// What a row of the table measures: 4 KiB that are in memory, so many reads at a time, or a whole file.
enum Row: String, CaseIterable {
    case pread = "one at a time: pread"
    case cached = "one at a time: File.read"
    case poolOne = "one at a time: File.read, fast path off"
    case callbackOne = "one at a time: FileRequest.read"
    case cPoolOne = "one at a time: uv_fs_read in C"
    case nioOne = "one at a time: NIO's FileSystem"
    case nodeOne = "one at a time: Node"
    case cPoolEight = "8 at a time: uv_fs_read in C"
    case poolEight = "8 at a time: File.read, fast path off"
    case callbackEight = "8 at a time: FileRequest.read"
    case nodeEight = "8 at a time: Node"
    case cPoolMany = "64 at a time: uv_fs_read in C"
    case poolMany = "64 at a time: File.read, fast path off"
    case callbackMany = "64 at a time: FileRequest.read"
    case nodeMany = "64 at a time: Node"
    case cWhole = "whole file of 4 KiB: open, fstat, read, close"
    case whole = "whole file of 4 KiB: FileSystem.readFile"
    case poolWhole = "whole file of 4 KiB: FileSystem.readFile, fast path off"
    case cPoolWhole = "whole file of 4 KiB: four calls of uv_fs_… in C"
    case nioWhole = "whole file of 4 KiB: NIO's FileSystem"
    case nodeWhole = "whole file of 4 KiB: Node"
    case coldPread = "cold: pread"
    case coldRead = "cold: File.read"
    case coldCallback = "cold: FileRequest.read"
    case coldCPool = "cold: uv_fs_read in C"
    case coldNIO = "cold: NIO's FileSystem"

    /// The row that this one is measured against.
    var baseline: Row {
        switch self {
        case .pread, .cached, .cPoolOne, .nioOne, .nodeOne: .pread
        case .poolOne, .callbackOne: .cPoolOne
        case .cPoolEight, .poolEight, .callbackEight, .nodeEight: .cPoolEight
        case .cPoolMany, .poolMany, .callbackMany, .nodeMany: .cPoolMany
        case .coldPread, .coldRead, .coldCallback, .coldCPool, .coldNIO: .coldPread
        case .cWhole, .whole, .poolWhole, .cPoolWhole, .nioWhole, .nodeWhole: .whole
        }
    }

    /// What the ratio must be.
    var limit: String {
        switch self {
        case .cached: "≤ 1.60"
        case .poolOne, .poolEight, .poolMany, .callbackOne, .callbackEight, .callbackMany: "≤ 1.11"
        case .nioWhole, .nodeWhole: "≥ 5.00"
        default: ""
        }
    }
}

/// The figures of all rounds.
struct Rows {
    private var figures: [Row: [Double]] = [:]

    mutating func add(_ nanoseconds: Double, to row: Row) { figures[row, default: []].append(nanoseconds) }

    var measured: [Measured] {
        Row.allCases.compactMap { row in figures[row].map { Measured(row.rawValue, "ns", $0) } }
    }

    /// Ratios are taken round by round: time over the baseline's.
    func table() -> Table {
        var table = Table(["what", "µs each", "min–max", "times", "of", "limit"])
        for row in Row.allCases {
            guard let mine = figures[row], let base = figures[row.baseline] else { continue }
            table.add([
                row.rawValue, decimal(median(mine) / 1000, 2),
                "\(decimal(mine.min()! / 1000, 2))–\(decimal(mine.max()! / 1000, 2))",
                decimal(median(zip(mine, base).map { $0 / $1 }), 2),
                row == row.baseline ? "" : row.baseline.shortName, row.limit,
            ])
        }
        return table
    }
}

extension Row {
    fileprivate var shortName: String {
        switch self {
        case .pread, .coldPread: "pread"
        case .whole: "readFile"
        default: "C's pool"
        }
    }
}
