internal import CLibuv

/// What the system knows of itself, of this process and of its user. Any thread may ask.
public enum SystemInfo {
    /// The version of libuv that runs, which may be newer than the one that the program was built with, such as `1.44.2`.
    ///
    /// Calls `uv_version_string`.
    public static var libuvVersion: String { unsafe String(cString: uv_version_string()) }

    /// The same as a number that can be compared: 1.44.2 is 0x012C02. Calls `uv_version`.
    public static var libuvVersionNumber: UInt32 { UInt32(uv_version()) }

    // MARK: The machine

    /// The kernel's name for itself: see uname(2).
    public struct Kernel: Hashable, Sendable {
        /// Such as `Linux`.
        public let name: String
        /// Such as `6.1.0-28-amd64`.
        public let release: String
        /// When and how it was built.
        public let version: String
        /// The kind of processor, such as `x86_64`.
        public let machine: String
    }

    /// The kernel. Calls `uv_os_uname`.
    public static var kernel: Kernel {
        get throws(UVError) {
            var raw = uv_utsname_t()
            try check(unsafe uv_os_uname(&raw), "kernel")
            return Kernel(
                name: text(of: &raw.sysname), release: text(of: &raw.release), version: text(of: &raw.version),
                machine: text(of: &raw.machine))
        }
    }

    /// The machine's name. Calls `uv_os_gethostname`.
    public static var hostName: String {
        get throws(UVError) { unsafe try text("hostName") { unsafe uv_os_gethostname($0, $1) } }
    }

    /// How long the machine has been running. Calls `uv_uptime`.
    public static var uptime: Duration {
        get throws(UVError) {
            var seconds = 0.0
            try check(unsafe uv_uptime(&seconds), "uptime")
            return .seconds(seconds)
        }
    }

    /// How many tasks of the system ran or waited for a processor on average, within the last 1, 5 and 15 minutes; zeros where
    /// the system does not know. Calls `uv_loadavg`.
    public static var loadAverage: (one: Double, five: Double, fifteen: Double) {
        var averages = [0.0, 0.0, 0.0]
        unsafe uv_loadavg(&averages)
        return (averages[0], averages[1], averages[2])
    }

    /// A processor of the machine.
    public struct Processor: Hashable, Sendable {
        /// What it is sold as.
        public let model: String
        /// In MHz; 0 if the system does not tell.
        public let speed: Int
        /// The time it has spent since the start of the machine: for programs, for programs of low priority, for the kernel, doing
        /// nothing, and for interrupts.
        public let user, nice, system, idle, interrupts: Duration
    }

    /// The machine's processors, whether this process may run on them or not: for that see ``Processors``. Calls `uv_cpu_info`.
    public static var processors: [Processor] {
        get throws(UVError) {
            var raw: UnsafeMutablePointer<uv_cpu_info_t>?
            var count: CInt = 0
            try check(unsafe uv_cpu_info(&raw, &count), "processors")
            defer { unsafe uv_free_cpu_info(raw, count) }
            return unsafe UnsafeBufferPointer(start: raw, count: Int(count)).map { unsafe Processor($0) }
        }
    }

    // MARK: Inside

    /// What libuv writes into a buffer, whose size it takes and tells.
    static func text(
        _ operation: StaticString, of subject: String? = nil,
        _ fill: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int>) -> CInt
    ) throws(UVError) -> String {
        var room = 1_024
        while true {
            var bytes = [CChar](repeating: 0, count: room)
            var size = room
            let status = unsafe bytes.withUnsafeMutableBufferPointer {
                unsafe fill($0.baseAddress.unsafelyUnwrapped, &size)
            }
            // Somebody may make it longer between two calls.
            if status == UV_ENOBUFS.rawValue, room < 1 << 20 {
                room = max(size, room) * 2
                continue
            }
            try check(status, operation, of: subject)
            return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// A text in a field of C that is an array.
    private static func text<Field>(of field: inout Field) -> String {
        unsafe withUnsafeBytes(of: &field) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension SystemInfo.Processor {
    fileprivate init(_ raw: uv_cpu_info_t) {
        model = unsafe String(cString: raw.model)
        speed = unsafe Int(raw.speed)
        let times = unsafe raw.cpu_times
        user = .milliseconds(times.user)
        nice = .milliseconds(times.nice)
        system = .milliseconds(times.sys)
        idle = .milliseconds(times.idle)
        interrupts = .milliseconds(times.irq)
    }
}
