internal import CPlatform
internal import Synchronization

/// The children whose handles were closed while they ran. Nobody waits for them, and without a wait the system keeps a child's
/// number after its end.
enum OrphanedChildren {
    private static let children = Mutex<[CInt]>([])

    static func add(_ process: CInt) { children.withLock { $0.append(process) } }

    /// Waits for those that have ended. Each start of a child calls it.
    static func reap() {
        children.withLock { children in
            if children.isEmpty { return }
            children.removeAll { process in
                var status: CInt = 0
                var signal: CInt = 0
                return unsafe cplatform_reap(process, &status, &signal) != 0
            }
        }
    }
}
