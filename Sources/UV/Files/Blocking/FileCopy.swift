internal import CLibuv
internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// Copies the content of an open file into a new, empty one, to the end of what can be read, in batches.
///
/// Reading and writing is the truth: pseudo-files claim to be empty, and files shrink while they are copied. What the
/// system can do by itself only saves work: when it fails, reading and writing find the error or the end.
final class FileCopy {
    /// What the file systems at hand can do by themselves. It is the same for all files of a tree.
    struct Means {
        var canClone = true
        var canCopyRange = true
        /// For reading and writing.
        fileprivate var buffer: [UInt8] = []
    }

    /// Of the source, when it was opened.
    let status: stat
    /// How many there are in the copy.
    private(set) var bytes: Int64 = 0
    private let source: CInt
    private let target: CInt
    private let isSparse: Bool
    private var hasBegun = false

    /// Takes the source's descriptor over.
    init(from source: CInt, to target: CInt, _ status: stat) {
        self.source = source
        self.target = target
        self.status = status
        isSparse = Int64(status.st_blocks) < Int64(status.st_size) / 512
    }

    deinit { _ = close(source) }

    /// - Parameter paths: For errors.
    /// - Returns: Whether there is more to copy.
    func goOn(
        _ batch: inout Batch, _ means: inout Means, from sourcePath: () -> FilePath, to targetPath: () -> FilePath
    ) throws(UVError) -> Bool {
        if !hasBegun {
            hasBegun = true
            if clone(&means) { return false }
        }
        while true {
            // The hole before the data counts when there are data behind it: the source may be cut meanwhile.
            guard let (data, most) = isSparse ? try skipHole(targetPath) : (bytes, .max) else { return false }
            let count = try copySome(upTo: most, &means, sourcePath, targetPath)
            if count > 0 {
                bytes = data + Int64(count)
                batch.count(bytes: count)
            }
            // After a cut that has left a part of the hole, that part is still to be copied.
            if isAtEnd || count == 0 && data == bytes { return false }
            if batch.isOver { return true }
        }
    }

    /// Small files are read at once; that saves a call for those whose size is true.
    private var wasShort = false
    private var isAtEnd: Bool { wasShort && bytes >= Int64(status.st_size) && status.st_size > 0 }

    private func clone(_ means: inout Means) -> Bool {
        guard means.canClone, status.st_size > 0 else { return false }
        if cplatform_clone_file(source, target) == 0 {
            // Not what the source had when it was opened: it may have been cut meanwhile.
            var copied = stat()
            bytes = unsafe fstat(target, &copied) == 0 ? Int64(copied.st_size) : Int64(status.st_size)
            return true
        }
        means.canClone = false
        return false
    }

    /// Moves both files to the next data.
    ///
    /// - Returns: Where the data begin, and how many bytes there are to the next hole; `nil` when there are no more data.
    private func skipHole(_ targetPath: () -> FilePath) throws(UVError) -> (data: Int64, count: Int)? {
        #if os(Linux)
        let (seekData, seekHole): (CInt, CInt) = (3, 4)
        #else
        let (seekData, seekHole) = (SEEK_DATA, SEEK_HOLE)
        #endif
        let data = lseek(source, off_t(bytes), seekData)
        if data < 0 {
            // A hole to the end, or a file system that cannot tell.
            guard errno == ENXIO else { return (bytes, .max) }
            var now = stat()
            guard unsafe fstat(source, &now) == 0, now.st_size > off_t(bytes) else { return nil }
            if ftruncate(target, now.st_size) != 0 {
                throw UVError(.lastSystemError, in: "copy", of: targetPath().string)
            }
            bytes = Int64(now.st_size)
            return nil
        }
        let hole = lseek(source, data, seekHole)
        guard lseek(source, data, SEEK_SET) == data, lseek(target, data, SEEK_SET) == data else {
            throw UVError(.lastSystemError, in: "copy", of: targetPath().string)
        }
        return (Int64(data), hole > data ? Int(hole - data) : .max)
    }

    /// - Returns: 0 at the end.
    private func copySome(
        upTo most: Int, _ means: inout Means, _ sourcePath: () -> FilePath, _ targetPath: () -> FilePath
    ) throws(UVError) -> Int {
        let modest = 131_072
        if means.canCopyRange, status.st_size > modest {
            let count = cplatform_copy_range(source, target, min(most, 4 << 20))
            if count > 0 { return count }
            if count < 0, [EXDEV, ENOSYS, EOPNOTSUPP].contains(errno) { means.canCopyRange = false }
        }
        if means.buffer.isEmpty { means.buffer = .unset(count: modest) }
        var failed: (code: UVError.Code, path: FilePath)?
        let count = unsafe means.buffer.withUnsafeMutableBytes { buffer in
            let count = repeated { unsafe read(source, buffer.baseAddress, min(most, buffer.count)) }
            if count < 0 { failed = (.lastSystemError, sourcePath()) }
            var written = 0
            while written < count {
                let more = repeated { unsafe write(target, buffer.baseAddress! + written, count - written) }
                if more <= 0 {
                    failed = (more < 0 ? .lastSystemError : .ioError, targetPath())
                    break
                }
                written += more
            }
            return count
        }
        if let failed { throw UVError(failed.code, in: "copy", of: failed.path.string) }
        wasShort = count < min(most, modest)
        return count
    }

    /// Gives the copy the permissions of the source. Not the bits that let a program run as its owner: the copy's owner
    /// may be another.
    func copyPermissions(_ targetPath: () -> FilePath) throws(UVError) {
        // Mostly they are right from the start. Looking is cheaper than setting, which goes to the journal.
        var new = stat()
        if unsafe fstat(target, &new) == 0, new.st_mode & 0o7777 == status.st_mode & 0o777 { return }
        if fchmod(target, status.st_mode & 0o777) != 0 {
            throw UVError(.lastSystemError, in: "copy", of: targetPath().string)
        }
    }

    func copyTimes(_ targetPath: () -> FilePath) throws(UVError) {
        if unsafe withUnsafePointer(to: status, { unsafe cplatform_copy_times(target, nil, $0) }) != 0 {
            throw UVError(.lastSystemError, in: "copy", of: targetPath().string)
        }
    }
}

/// Repeats a system call as long as signals interrupt it.
func repeated<Count: SignedInteger>(_ call: () -> Count) -> Count {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
