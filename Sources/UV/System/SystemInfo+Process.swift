internal import CLibuv
public import SystemPackage

/// This process.
extension SystemInfo {
    /// Calls `uv_os_getpid`.
    public static var processID: CInt { uv_os_getpid() }

    /// The process that started this one, or that has taken it over. Calls `uv_os_getppid`.
    public static var parentProcessID: CInt { uv_os_getppid() }

    /// The program's file, as an absolute path. Calls `uv_exepath`.
    public static var executablePath: FilePath {
        get throws(UVError) { FilePath(unsafe try text("executablePath") { unsafe uv_exepath($0, $1) }) }
    }

    /// Where relative paths count from. Calls `uv_cwd`.
    ///
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory` when it has been removed.
    public static var currentDirectory: FilePath {
        get throws(UVError) { FilePath(unsafe try text("currentDirectory") { unsafe uv_cwd($0, $1) }) }
    }

    /// Changes it for the whole process: relative paths of all threads count from there.
    ///
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.notDirectory`, `.permissionDenied`, ….
    ///
    /// Calls `uv_chdir`.
    public static func setCurrentDirectory(_ path: FilePath) throws(UVError) {
        try check(unsafe path.withPlatformString { unsafe uv_chdir($0) }, "setCurrentDirectory", of: path.string)
    }

    /// What this process has used since its start.
    public struct ResourceUsage: Hashable, Sendable {
        /// The CPU time of its own code, and of the kernel for it.
        public let user, system: Duration
        /// The most memory that it has had at a time, in bytes.
        public let mostMemory: UInt64
        /// Pages that were found in memory, and those that were read from a disk.
        public let minorPageFaults, majorPageFaults: UInt64
        /// Blocks read from disks, and written to them.
        public let blocksRead, blocksWritten: UInt64
        /// How often it gave its processor up because it had to wait, and how often somebody else was given it.
        public let voluntarySwitches, involuntarySwitches: UInt64
    }

    /// What this process has used so far, all threads together. Calls `uv_getrusage`.
    public static var resourceUsage: ResourceUsage {
        get throws(UVError) {
            var raw = uv_rusage_t()
            try check(unsafe uv_getrusage(&raw), "resourceUsage")
            return ResourceUsage(
                user: Duration(raw.ru_utime), system: Duration(raw.ru_stime),
                // In KiB, but on macOS in bytes.
                mostMemory: raw.ru_maxrss * mostMemoryUnit, minorPageFaults: raw.ru_minflt,
                majorPageFaults: raw.ru_majflt, blocksRead: raw.ru_inblock, blocksWritten: raw.ru_oublock,
                voluntarySwitches: raw.ru_nvcsw, involuntarySwitches: raw.ru_nivcsw)
        }
    }

    private static var mostMemoryUnit: UInt64 {
        #if canImport(Darwin)
        1
        #else
        1_024
        #endif
    }

    /// How gladly a process lets others go first: from -20, not at all, to 19.
    ///
    /// On Linux each thread has a priority of its own: `nil` is about the calling thread, the number of a process about its first
    /// one. A thread begins with its maker's; Dispatch gives its threads 0.
    ///
    /// - Parameter process: `nil` for this one.
    /// - Throws: ``UVError`` with `.noSuchProcess`.
    ///
    /// Calls `uv_os_getpriority`.
    public static func priority(of process: CInt? = nil) throws(UVError) -> Int {
        var priority: CInt = 0
        try check(unsafe uv_os_getpriority(process ?? 0, &priority), "priority", of: subject(process))
        return Int(priority)
    }

    /// Sets it, on Linux for one thread as ``priority(of:)`` says. Less than before is for the superuser only.
    ///
    /// - Throws: ``UVError`` with `.noSuchProcess`, `.permissionDenied`, `.notPermitted`, `.invalidArgument` for a number outside
    ///   of -20 to 19.
    ///
    /// Calls `uv_os_setpriority`.
    public static func setPriority(_ priority: Int, of process: CInt? = nil) throws(UVError) {
        guard (-20...19).contains(priority) else {
            throw UVError(.invalidArgument, in: "setPriority", of: "\(priority)")
        }
        try check(uv_os_setpriority(process ?? 0, CInt(priority)), "setPriority", of: subject(process))
    }

    private static func subject(_ process: CInt?) -> String { process.map { "process \($0)" } ?? "this process" }
}

extension Duration {
    fileprivate init(_ time: uv_timeval_t) { self = .seconds(time.tv_sec) + .microseconds(time.tv_usec) }
}
