internal import CPlatform
internal import Synchronization
internal import SystemPackage

/// The volumes whose files a loop's thread may open: opening a file asks its file system, and one that is a server (NFS) or
/// a program (FUSE) may answer late or never.
///
/// To ask a volume what it is may take as long. So threads of the pool find it out, from a file that they have read.
enum LocalVolumes {
    private enum Volume {
        case foreign
        case local
        /// A local one whose file system cannot tell what it has in memory.
        case localWithoutCache
    }

    /// By number. One that is taken down leaves its number to a later one, which passes for it.
    private static let volumes = Mutex<[UInt64: Volume]>([:])

    /// Whether files of a volume may be opened and read on a loop's thread; false for one that nobody knows yet.
    static func contains(_ device: UInt64) -> Bool { volumes.withLock { $0[device] == .local } }

    /// Whether a volume answers at once, whatever is in memory; false for one that nobody knows yet.
    static func isLocal(_ device: UInt64) -> Bool { volumes.withLock { $0[device] ?? .foreign != .foreign } }

    /// Finds out about the volume of an open file. For threads of the pool.
    static func learn(_ device: UInt64, from file: FileDescriptor) {
        if volumes.withLock({ $0[device] != nil }) { return }
        set(device, cplatform_is_local(file.rawValue) != 0 ? .local : .foreign)
    }

    /// Its file system cannot tell what it has in memory.
    static func remove(_ device: UInt64) { set(device, .localWithoutCache) }

    private static func set(_ device: UInt64, _ volume: Volume) {
        volumes.withLock { volumes in
            // Nobody has so many; those that are in use will be found again.
            if volumes.count >= 1_024 { volumes = [:] }
            volumes[device] = volume
        }
    }
}
