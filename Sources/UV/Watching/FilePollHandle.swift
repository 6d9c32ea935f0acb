internal import CLibuv
public import SystemPackage

/// Looks at a file again and again, and calls a closure when something of its status has changed.
///
/// It sees a path, whatever file is behind it at the time, and what other computers do on a network volume. It is slower than
/// ``FileEventHandle``, and each look is a job of the thread pool. Two changes between two looks are one. A change that leaves
/// times and size as they were is not seen.
public final class FilePollHandle: Handle {
    /// What was known of the file before and what is known now.
    public struct Change: Sendable {
        /// `nil` if the file had never been seen.
        public var previous: FileStatus?
        /// What is known of the file now.
        public var current: FileStatus
    }

    private var onChange: ((FilePollHandle, Result<Change, UVError>) -> Void)?
    private var wasStarted = false
    /// Looks in place of this handle after a second start.
    private var successor: FilePollHandle?
    private var raw: UnsafeMutablePointer<uv_fs_poll_t> { unsafe memory.assumingMemoryBound(to: uv_fs_poll_t.self) }

    /// Creates a handle that looks at nothing yet. Calls `uv_fs_poll_init`.
    public init(on loop: Loop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        unsafe try super.init(on: loop, as: uv_fs_poll_t.self, "file poll handle creation", file, line) {
            unsafe uv_fs_poll_init(loop.raw, $0)
        }
    }

    /// Looks at a file, in place of an earlier one: now, and then after each interval. The first look calls the closure only if
    /// the file cannot be seen. An error is told once, as long as it stays the same; then comes a change.
    ///
    /// - Parameter interval: In whole milliseconds, up to 49 days.
    /// - Throws: ``UVError`` with `.invalidArgument` for other intervals; an earlier watch goes on.
    ///
    /// Calls `uv_fs_poll_start`.
    public func start(
        _ path: FilePath, every interval: Duration,
        _ onChange: @escaping (FilePollHandle, Result<Change, UVError>) -> Void
    ) throws(UVError) {
        try checkOpen("start")
        guard let whole = interval.wholeMilliseconds, whole > 0, let milliseconds = CUnsignedInt(exactly: whole) else {
            throw UVError(.invalidArgument, in: "start", of: "a look at \(path) every \(interval)")
        }
        // libuv ignores a second start. After a stop, a look that is still under way would take the new start for its own,
        // and abort the process at the next look. So each start has a handle of libuv's to itself.
        if wasStarted {
            let successor = try FilePollHandle(on: loop)
            successor.isInternal = true
            do throws(UVError) {
                successor.keepsLoopAlive = keepsLoopAlive
                try successor.begin(path, milliseconds) { [unowned self] _, result in self.onChange?(self, result) }
            } catch {
                successor.close()
                throw error
            }
            halt()
            self.successor = successor
            self.onChange = onChange
        } else {
            try begin(path, milliseconds, onChange)
        }
    }

    private func begin(
        _ path: FilePath, _ milliseconds: CUnsignedInt,
        _ onChange: @escaping (FilePollHandle, Result<Change, UVError>) -> Void
    ) throws(UVError) {
        let status = unsafe path.withPlatformString {
            unsafe uv_fs_poll_start(raw, fileLookedAt, $0, milliseconds)
        }
        try check(status, "start", of: path.string)
        wasStarted = true
        self.onChange = onChange
    }

    /// Stops looking and drops the closure. A stopped handle may be stopped again. Calls `uv_fs_poll_stop`.
    public func stop() {
        checkThread()
        if isOpen { halt() }
    }

    private func halt() {
        unsafe uv_fs_poll_stop(raw)
        successor?.close()
        successor = nil
        onChange = nil
    }

    /// What is looked at; `nil` for a handle that looks at nothing. Calls `uv_fs_poll_getpath`.
    public var path: FilePath? {
        checkThread()
        guard isOpen else { return nil }
        if let successor { return successor.path }
        var size = 1
        var short: CChar = 0
        guard unsafe uv_fs_poll_getpath(raw, &short, &size) == UV_ENOBUFS.rawValue else { return nil }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
            guard let base = buffer.baseAddress, unsafe uv_fs_poll_getpath(raw, base, &size) == 0 else { return nil }
            return unsafe FilePath(platformString: base)
        }
    }

    public override var isActive: Bool { successor?.isActive ?? super.isActive }

    public override var keepsLoopAlive: Bool {
        get { super.keepsLoopAlive }
        set {
            super.keepsLoopAlive = newValue
            successor?.keepsLoopAlive = newValue
        }
    }

    override func willClose() { successor?.close() }

    override func dropClosures() { onChange = nil }

    fileprivate func looked(_ status: CInt, _ previous: uv_stat_t, _ current: uv_stat_t) {
        guard let call = onChange else { return }
        if status < 0 {
            call(self, .failure(UVError(.init(rawValue: status), in: "status", of: path?.string)))
        } else {
            // A file that was never seen has a status of zeros.
            let change = Change(
                previous: previous.st_mode == 0 ? nil : FileStatus(previous), current: FileStatus(current))
            call(self, .success(change))
        }
    }
}

private func fileLookedAt(
    _ raw: UnsafeMutablePointer<uv_fs_poll_t>?, _ status: CInt, _ previous: UnsafePointer<uv_stat_t>?,
    _ current: UnsafePointer<uv_stat_t>?
) {
    guard let previous = unsafe previous, let current = unsafe current else { return }
    unsafe callBack(raw, FilePollHandle.self) { unsafe $0.looked(status, previous.pointee, current.pointee) }
}
