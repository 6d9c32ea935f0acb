internal import CLibuv
internal import CPlatform
internal import Synchronization
public import SystemPackage
internal import UVPlatform

/// Reads on the calling thread what the system has in memory anyway: the page cache. It never waits for a disk.
///
/// A trip to the thread pool costs fifty times as much as reading four cached KiB. Linux only; elsewhere nothing is
/// found. So that a file that is all in memory cannot keep its loop from other work, a loop reads no more than 4 MiB, or
/// 1,024 times, so in a turn; what comes next goes to the pool. It does wait for a program that has asked the system to be
/// asked first (a virus scanner, see fanotify(7)): turn it off beside one of those.
public enum PageCache {
    /// What a read found.
    public enum Found<Value> {
        /// It was in memory.
        case found(Value)
        /// Ask the pool.
        case notCached
        /// Ask the pool, also next time: this file cannot be read so.
        case unsupported
    }

    /// How often the cache was asked, by the whole process; not at all while it is off.
    public struct Counters: Sendable {
        /// Answered at once.
        public var hits: Int
        /// To be read in the thread pool.
        public var misses: Int
    }

    private static let isOff = Atomic<Bool>(false)

    /// Whether it is used, by the whole process. Off, everything is "not cached".
    public static var isEnabled: Bool {
        get { !isOff.load(ordering: .relaxed) }
        set { isOff.store(!newValue, ordering: .relaxed) }
    }

    /// How often memory has answered so far, and how often it could not.
    public static var counters: Counters { CacheTally.total }

    /// Reads so many bytes, or those up to the file's end, if all of them are in memory.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for a negative offset or limit. Other errors are the pool's to find.
    public static func read(
        from file: FileDescriptor, upTo limit: Int, at offset: Int64, on loop: Loop
    ) throws(UVError) -> Found<[UInt8]> {
        try FileRequest.checkNotNegative(Int64(limit), "count", "read")
        try FileRequest.checkNotNegative(offset, "offset", "read")
        if isOff.load(ordering: .relaxed) { return .notCached }
        guard loop.mayReadCached(limit) else { return loop.missed(.notCached) }
        var bytes = [UInt8].unset(count: limit)
        switch readNow(into: &bytes, from: file, at: offset, loop) {
        case .found(let count):
            if count < limit { bytes.removeLast(limit - count) }
            return .found(bytes)
        case .notCached: return .notCached
        case .unsupported: return .unsupported
        }
    }

    /// Fills an array, or reads up to the file's end into its start, if all of that is in memory.
    ///
    /// - Returns: How many bytes were read: fewer than there is room for only before the end, 0 at the end.
    /// - Throws: ``UVError`` with `.invalidArgument` for a negative offset. Other errors are the pool's to find.
    public static func read(
        into buffer: inout [UInt8], from file: FileDescriptor, at offset: Int64, on loop: Loop
    ) throws(UVError) -> Found<Int> {
        try FileRequest.checkNotNegative(offset, "offset", "read")
        if isOff.load(ordering: .relaxed) { return .notCached }
        guard loop.mayReadCached(buffer.count) else { return loop.missed(.notCached) }
        return readNow(into: &buffer, from: file, at: offset, loop)
    }

    private static func readNow(
        into buffer: inout [UInt8], from file: FileDescriptor, at offset: Int64, _ loop: Loop
    ) -> Found<Int> {
        let room = buffer.count
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe cplatform_read_cached(file.rawValue, $0.baseAddress, $0.count, off_t(offset))
        }
        if count < 0 { return loop.missed(UVError.Code.lastSystemError == .notSupported ? .unsupported : .notCached) }
        // Only a part of it is in memory, or none: Linux 5.9 and 5.10 answered "0 bytes" then.
        if count < room, !isEnd(offset + Int64(count), of: file) { return loop.missed(.notCached) }
        loop.cacheTally.hit()
        return .found(count)
    }

    /// Reads a whole file if its name and its content are in memory, and it is a regular file of at most `limit` bytes;
    /// else `nil`: the pool finds out what is wrong with it.
    ///
    /// To open a file asks its file system. So it must be on a disk of this machine or in its memory, not with a server (NFS)
    /// or a program (FUSE); of each volume, ``FileOperation/readFile(_:limit:)`` finds that out with the first file it
    /// reads there.
    public static func readFile(_ path: FilePath, limit: Int, on loop: Loop) -> [UInt8]? {
        if isOff.load(ordering: .relaxed) { return nil }
        guard !cannotOpen.load(ordering: .relaxed), loop.mayReadCached(openingCharge) else {
            loop.cacheTally.missed()
            return nil
        }
        let bytes = readFound(path, limit, loop)
        if bytes == nil { loop.cacheTally.missed() } else { loop.cacheTally.hit() }
        return bytes
    }

    /// What opening a file costs, in bytes read.
    private static let openingCharge = 16_384
    /// A system that does not know how, or that forbids it.
    private static let cannotOpen = Atomic<Bool>(false)

    private static func readFound(_ path: FilePath, _ limit: Int, _ loop: Loop) -> [UInt8]? {
        var found = cplatform_found()
        let name = unsafe path.withPlatformString { unsafe cplatform_find_cached($0, &found) }
        if name < 0 {
            if UVError.Code.lastSystemError == .noFunction { cannotOpen.store(true, ordering: .relaxed) }
            return nil
        }
        defer { _ = close(name) }
        guard found.is_regular != 0, found.size > 0, found.size <= min(limit, Loop.CachedReads.most),
            LocalVolumes.contains(found.device), loop.mayReadCached(Int(found.size) - openingCharge)
        else { return nil }
        let file = cplatform_open_found(name)
        if file < 0 { return nil }
        defer { _ = close(file) }
        // One byte more than the size: a file that is growing is for the pool.
        let size = Int(found.size)
        var bytes = [UInt8].unset(count: size + 1)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe cplatform_read_cached(file, $0.baseAddress, $0.count, 0)
        }
        if count < 0, UVError.Code.lastSystemError == .notSupported { LocalVolumes.remove(found.device) }
        guard count == size else { return nil }
        bytes.removeLast()
        return bytes
    }

    private static func isEnd(_ offset: Int64, of file: FileDescriptor) -> Bool {
        var status = stat()
        return unsafe fstat(file.rawValue, &status) == 0 && FileKind(mode: UInt64(status.st_mode)) == .regular
            && offset >= Int64(status.st_size) && status.st_size > 0
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

    fileprivate func missed<Value>(_ found: PageCache.Found<Value>) -> PageCache.Found<Value> {
        cacheTally.missed()
        return found
    }

    /// Charges a read from memory to this turn; false, and nothing is charged, when that is more than a turn may have.
    func mayReadCached(_ count: Int) -> Bool {
        checkThread("PageCache")
        let time = unsafe uv_now(raw)
        if unsafe cachedReads.time != time { unsafe cachedReads = CachedReads(time: time) }
        let charge = max(count, CachedReads.most / 1024)
        guard unsafe charge <= CachedReads.most - cachedReads.bytes else { return false }
        unsafe cachedReads.bytes += charge
        return true
    }
}
