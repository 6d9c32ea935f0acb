import ExampleSupport
import Foundation

/// Something that keeps a disk busy, in steps. The file is not in memory when it begins.
public struct DiskWork: Sendable {
    /// What is done to the file.
    public enum Kind: String, CaseIterable, Sendable {
        /// Reads it.
        case coldRead = "cold read"
        /// Overwrites it and waits in each step until the disk has what it wrote.
        case fsyncStorm = "fsync storm"
    }

    public let kind: Kind
    public let path: String
    public let steps: Int
    /// In bytes; whole blocks.
    public let stepSize: Int
    /// What is read or written by one call. Not all alike: some disks would not bother to store it.
    let block: [UInt8]
    var blocksPerStep: Int { stepSize / block.count }
    private let file: Leftover

    /// Makes the file, which ``remove()`` removes.
    ///
    /// - Parameters:
    ///   - size: In bytes, rounded up to whole steps.
    ///   - stepSize: In bytes, rounded up to whole blocks: of 4 MiB to read, of 64 KiB to write. Nothing is one block.
    public init(_ kind: Kind, size: Int, stepSize: Int? = nil, in directory: String) throws {
        self.kind = kind
        var random = SystemRandomNumberGenerator()
        var word: UInt64 = 0
        block = (0..<(kind == .coldRead ? 4 << 20 : 64 << 10)).map { index in
            word = index.isMultiple(of: 8) ? random.next() : word >> 8
            return UInt8(truncatingIfNeeded: word)
        }
        let blocksPerStep = max(1, ((stepSize ?? 0) + block.count - 1) / block.count)
        self.stepSize = blocksPerStep * block.count
        steps = (size + self.stepSize - 1) / self.stepSize
        let path = directory + "/blocking-vs-async-\(getpid())"
        self.path = path
        file = Leftover { try? FileManager.default.removeItem(atPath: path) }
        do {
            try file.protect {
                guard FileManager.default.createFile(atPath: path, contents: nil) else {
                    throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
                }
            }
            try fill()
        } catch {
            remove()
            throw error
        }
    }

    public func remove() { file.clear() }

    private func fill() throws {
        let file = try handle()
        defer { try? file.close() }
        for _ in 0..<steps * blocksPerStep { try file.write(contentsOf: block) }
        try file.synchronize()
    }

    /// Drops the file from the system's memory.
    public func makeCold() throws {
        let file = try handle()
        defer { try? file.close() }
        try file.synchronize()
        let error = posix_fadvise(file.fileDescriptor, 0, 0, POSIX_FADV_DONTNEED)
        if error != 0 { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .EIO) }
    }

    // MARK: A step that blocks

    func handle() throws -> FileHandle {
        guard let file = FileHandle(forUpdatingAtPath: path) else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: path])
        }
        return file
    }

    func doBlocking(_ step: Int, on file: FileHandle) throws {
        try file.seek(toOffset: UInt64(step * stepSize))
        for _ in 0..<blocksPerStep {
            switch kind {
            case .coldRead: _ = try file.read(upToCount: block.count)
            case .fsyncStorm: try file.write(contentsOf: block)
            }
        }
        if kind == .fsyncStorm { try file.synchronize() }
    }
}
