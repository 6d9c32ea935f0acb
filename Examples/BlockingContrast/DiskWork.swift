import ExampleSupport
import Foundation

/// Something that keeps a disk busy, in steps. The file is not in memory when it begins.
public struct DiskWork: Sendable {
    /// What is done to the file.
    public enum Kind: String, CaseIterable, Sendable {
        /// Reads it, four mebibytes each step.
        case coldRead = "cold read"
        /// Overwrites it, 64 KiB each step, and waits until the disk has them.
        case fsyncStorm = "fsync storm"
    }

    public let kind: Kind
    public let path: String
    public let steps: Int
    var stepSize: Int { block.count }
    /// What is written in each step. Not all alike: some disks would not bother to store it.
    let block: [UInt8]
    private let file: Leftover

    /// Makes the file, which ``remove()`` removes.
    ///
    /// - Parameter size: In bytes, rounded up to whole steps.
    public init(_ kind: Kind, size: Int, in directory: String) throws {
        self.kind = kind
        var random = SystemRandomNumberGenerator()
        var word: UInt64 = 0
        block = (0..<(kind == .coldRead ? 4 << 20 : 64 << 10)).map { index in
            word = index.isMultiple(of: 8) ? random.next() : word >> 8
            return UInt8(truncatingIfNeeded: word)
        }
        steps = (size + block.count - 1) / block.count
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
        for _ in 0..<steps { try file.write(contentsOf: block) }
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
        switch kind {
        case .coldRead: _ = try file.read(upToCount: stepSize)
        case .fsyncStorm:
            try file.write(contentsOf: block)
            try file.synchronize()
        }
    }
}
