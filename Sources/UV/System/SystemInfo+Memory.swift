internal import CLibuv
internal import SystemPackage

/// Memory, in bytes.
extension SystemInfo {
    /// What the machine has; 0 if the system does not tell. Calls `uv_get_total_memory`.
    public static var totalMemory: UInt64 { uv_get_total_memory() }

    /// What the machine could give to programs without taking it from others, caches included; 0 if the system does not tell.
    ///
    /// Calls `uv_get_free_memory`.
    public static var freeMemory: UInt64 { uv_get_free_memory() }

    /// The most that this process's container (its cgroup and those around it) may have; `nil` without a limit.
    ///
    /// libuv 1.44.2 knows the first version of cgroups only. Calls `uv_get_constrained_memory`.
    public static var constrainedMemory: UInt64? {
        if let limit = ControlGroup(of: "memory").smallest({ bytes(in: $0, "memory.max") }) { return limit }
        let limit = uv_get_constrained_memory()
        // The first version has the largest number for none.
        return limit == 0 || limit >= totalMemory ? nil : limit
    }

    /// What is left for this process: of ``freeMemory``, and of ``constrainedMemory`` after what the container has in use.
    public static var availableMemory: UInt64 {
        let left = ControlGroup(of: "memory").smallest { folder in
            guard let limit = bytes(in: folder, "memory.max"), let used = bytes(in: folder, "memory.current") else {
                return nil as UInt64?
            }
            return limit > used ? limit - used : 0
        }
        return min(freeMemory, left ?? .max)
    }

    /// What this process has in memory now. Calls `uv_resident_set_memory`.
    public static var residentMemory: Int {
        get throws(UVError) {
            var bytes = 0
            try check(unsafe uv_resident_set_memory(&bytes), "residentMemory")
            return bytes
        }
    }

    private static func bytes(in folder: FilePath, _ file: FilePath.Component) -> UInt64? {
        ControlGroup.words(folder.appending(file)).flatMap { UInt64($0.first ?? "") }
    }
}
