internal import CLibuv
internal import CLinux
internal import Synchronization
public import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Reads on the calling thread what the system has in memory anyway: the page cache. It never waits for a disk.
///
/// A trip to the thread pool costs fifty times as much as reading four cached KiB. Linux only; elsewhere nothing is
/// found. So that a file that is all in memory cannot keep its loop from other work, a loop reads no more than 4 MiB, or
/// 1,024 times, so in a turn; what comes next goes to the pool.
public enum PageCache {
    /// What a read found.
    public enum Found<Value> {
        case found(Value)
        /// Ask the pool.
        case notCached
        /// Ask the pool, also next time: this file cannot be read so.
        case unsupported
    }

    /// How often the cache was asked, by the whole process.
    public struct Counters: Sendable {
        /// Answered at once.
        public var hits: Int
        /// To be read in the thread pool.
        public var misses: Int
    }

    private static let isOff = Atomic<Bool>(false)
    private static let hits = Atomic<Int>(0)
    private static let misses = Atomic<Int>(0)

    /// Whether it is used, by the whole process. Off, everything is "not cached".
    public static var isEnabled: Bool {
        get { !isOff.load(ordering: .relaxed) }
        set { isOff.store(!newValue, ordering: .relaxed) }
    }

    public static var counters: Counters {
        Counters(hits: hits.load(ordering: .relaxed), misses: misses.load(ordering: .relaxed))
    }

    /// Reads what is in memory, up to a number of bytes: fewer than asked for perhaps, none at the end of the file only.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for a negative offset or limit. Other errors are the pool's to find.
    public static func read(
        from file: FileDescriptor, upTo limit: Int, at offset: Int64, on loop: Loop
    ) throws(UVError) -> Found<[UInt8]> {
        try FileRequest.checkNotNegative(Int64(limit), "count", "read")
        try FileRequest.checkNotNegative(offset, "offset", "read")
        guard mayRead(limit, on: loop) else { return miss(.notCached) }
        var bytes = [UInt8].unset(count: limit)
        switch readNow(into: &bytes, from: file, at: offset) {
        case .found(let count):
            if count < limit { bytes.removeLast(limit - count) }
            return .found(bytes)
        case .notCached: return .notCached
        case .unsupported: return .unsupported
        }
    }

    /// Reads what is in memory into an array, from its start.
    ///
    /// - Returns: How many bytes were read: fewer than there is room for perhaps, 0 at the end of the file only.
    /// - Throws: ``UVError`` with `.invalidArgument` for a negative offset. Other errors are the pool's to find.
    public static func read(
        into buffer: inout [UInt8], from file: FileDescriptor, at offset: Int64, on loop: Loop
    ) throws(UVError) -> Found<Int> {
        try FileRequest.checkNotNegative(offset, "offset", "read")
        guard mayRead(buffer.count, on: loop) else { return miss(.notCached) }
        return readNow(into: &buffer, from: file, at: offset)
    }

    private static func mayRead(_ count: Int, on loop: Loop) -> Bool {
        !isOff.load(ordering: .relaxed) && count <= Loop.CachedReads.most && loop.mayReadCached(count)
    }

    private static func readNow(into buffer: inout [UInt8], from file: FileDescriptor, at offset: Int64) -> Found<Int> {
        let room = buffer.count
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe clinux_read_cached(file.rawValue, $0.baseAddress, $0.count, off_t(offset))
        }
        if count < 0 { return miss(UVError.Code.lastSystemError == .notSupported ? .unsupported : .notCached) }
        // Linux 5.9 and 5.10 answered "0 bytes" where they meant "not cached".
        if count == 0, room > 0, !isEnd(offset, of: file) { return miss(.notCached) }
        hits.add(1, ordering: .relaxed)
        return .found(count)
    }

    /// Reads a whole file if its name and its content are in memory, and it is a regular file of at most `limit` bytes;
    /// else `nil`: the pool finds out what is wrong with it.
    public static func readFile(_ path: FilePath, limit: Int, on loop: Loop) -> [UInt8]? {
        if isOff.load(ordering: .relaxed) { return nil }
        guard !cannotOpen.load(ordering: .relaxed), loop.mayReadCached(16_384) else {
            misses.add(1, ordering: .relaxed)
            return nil
        }
        let bytes = readOpened(path, limit, loop)
        if bytes == nil { misses.add(1, ordering: .relaxed) } else { hits.add(1, ordering: .relaxed) }
        return bytes
    }

    /// A system that does not know how, or that forbids it.
    private static let cannotOpen = Atomic<Bool>(false)

    private static func readOpened(_ path: FilePath, _ limit: Int, _ loop: Loop) -> [UInt8]? {
        let number = unsafe path.withPlatformString { unsafe clinux_open_cached($0) }
        if number < 0 {
            if UVError.Code.lastSystemError == .noFunction { cannotOpen.store(true, ordering: .relaxed) }
            return nil
        }
        defer { _ = close(number) }
        var status = stat()
        guard unsafe fstat(number, &status) == 0, FileKind(mode: UInt64(status.st_mode)) == .regular else { return nil }
        let size = Int(status.st_size)
        guard size > 0, size <= min(limit, Loop.CachedReads.most), loop.mayReadCached(size) else { return nil }
        // One byte more than the size: a file that is growing is for the pool.
        var bytes = [UInt8].unset(count: size + 1)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe clinux_read_cached(number, $0.baseAddress, $0.count, 0)
        }
        guard count == size else { return nil }
        bytes.removeLast()
        return bytes
    }

    private static func isEnd(_ offset: Int64, of file: FileDescriptor) -> Bool {
        var status = stat()
        return unsafe fstat(file.rawValue, &status) == 0 && FileKind(mode: UInt64(status.st_mode)) == .regular
            && offset >= Int64(status.st_size) && status.st_size > 0
    }

    private static func miss<Value>(_ found: Found<Value>) -> Found<Value> {
        misses.add(1, ordering: .relaxed)
        return found
    }
}

extension Loop {
    /// What the loop has read from memory in this turn.
    struct CachedReads {
        static let most = 4 << 20
        /// The loop's time, which stands still during a turn.
        var time: UInt64 = 0
        var bytes = 0
    }

    /// Charges a read from memory to this turn; false when the turn has had enough.
    func mayReadCached(_ count: Int) -> Bool {
        checkThread("PageCache")
        let time = unsafe uv_now(raw)
        if unsafe cachedReads.time != time { unsafe cachedReads = CachedReads(time: time) }
        guard unsafe cachedReads.bytes < CachedReads.most else { return false }
        unsafe cachedReads.bytes += max(count, CachedReads.most / 1024)
        return true
    }
}
