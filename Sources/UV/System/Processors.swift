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
    public static var granted: Int { min(allowed, quota(of: ControlGroup(of: "cpu")) ?? .max) }

    /// The smallest quota, in processors, of a cgroup and of the groups that contain it; `nil` if none has a quota.
    static func quota(under root: FilePath, path: String) -> Int? { quota(of: ControlGroup(under: root, path: path)) }

    private static func quota(of group: ControlGroup) -> Int? {
        group.smallest { folder, path in quotaOfVersion2(folder) ?? quotaOfVersion1(group.root, path) }
    }

    private static func quotaOfVersion2(_ folder: FilePath) -> Int? {
        guard let words = ControlGroup.words(folder.appending("cpu.max")), words.count == 2, let time = Int(words[0]),
            let period = Int(words[1])
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

    private static func number(_ path: FilePath) -> Int? { ControlGroup.words(path).flatMap { Int($0.first ?? "") } }
}
