internal import CLibuv
internal import SystemPackage

/// How many processors this process may use.
public enum Processors {
    /// The processors of the machine that the process may run on, at least one. Calls `uv_available_parallelism`.
    public static var allowed: Int { Int(uv_available_parallelism()) }

    /// As ``allowed``, but no more than the CPU time that a container grants (cgroup quota), rounded up: the right
    /// number of loops for a server.
    ///
    /// libuv 1.44.2 does not look at the quota.
    public static var granted: Int {
        min(allowed, quota(under: "/sys/fs/cgroup", path: ownGroup) ?? .max)
    }

    /// The smallest quota, in processors, of a cgroup and of the groups that contain it; `nil` if none has a quota.
    static func quota(under root: FilePath, path: String) -> Int? {
        var smallest: Int?
        var group = FilePath(path)
        while true {
            let folder = root.appending(group.components)
            if let quota = quotaOfVersion2(folder) ?? quotaOfVersion1(root, group) {
                smallest = min(smallest ?? .max, quota)
            }
            guard group.removeLastComponent() else { return smallest }
        }
    }

    private static func quotaOfVersion2(_ folder: FilePath) -> Int? {
        guard let words = text(folder.appending("cpu.max"))?.split(whereSeparator: \.isWhitespace), words.count == 2,
            let time = Int(words[0]), let period = Int(words[1])
        else { return nil }
        return processors(time, period)
    }

    private static func quotaOfVersion1(_ root: FilePath, _ group: FilePath) -> Int? {
        let folder = root.appending("cpu").appending(group.components)
        guard let time = number(folder.appending("cpu.cfs_quota_us")),
            let period = number(folder.appending("cpu.cfs_period_us"))
        else { return nil }
        return processors(time, period)
    }

    private static func processors(_ time: Int, _ period: Int) -> Int? {
        time > 0 && period > 0 ? (time - 1) / period + 1 : nil
    }

    /// The path of this process's cgroup, below the root.
    private static var ownGroup: String {
        let lines = text("/proc/self/cgroup")?.split(separator: "\n") ?? []
        let fields = lines.map { $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false) }
        let own = fields.first { $0.count == 3 && ($0[1].isEmpty || $0[1].split(separator: ",").contains("cpu")) }
        return own.map { String($0[2]) } ?? "/"
    }

    private static func number(_ path: FilePath) -> Int? {
        text(path).flatMap { Int($0.split(whereSeparator: \.isWhitespace).first ?? "") }
    }

    private static func text(_ path: FilePath) -> String? {
        guard let file = try? FileDescriptor.open(path, .readOnly) else { return nil }
        defer { file.closeIgnoringErrors() }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        guard let count = try? unsafe bytes.withUnsafeMutableBytes({ unsafe try file.read(into: $0) }) else {
            return nil
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
