public import SystemPackage
internal import UVPlatform

/// How a lock on a file is shared.
public enum FileLock: Sendable {
    /// Any number of holders, while nobody has an exclusive one.
    case shared
    /// One holder.
    case exclusive

    fileprivate var rawValue: CInt { self == .shared ? LOCK_SH : LOCK_EX }
}

/// Locks on whole files. They are advisory: only programs that ask for a lock are kept out. A lock belongs to an open file, not to
/// a process: a file that is opened twice excludes itself. Closing its last descriptor gives the lock up. See flock(2); libuv has
/// no such call.
extension FileOperation where Value == Bool {
    /// Takes a lock, or changes the kind of the one that the open file has, if no other lock is in the way: whether it did. If it
    /// did not, Linux has given the old lock up nevertheless.
    public static func tryLock(_ file: FileDescriptor, _ lock: FileLock = .exclusive) -> Self {
        Self("lock", on: file) { file throws(UVError) in try tryLock(file, lock) }
    }

    fileprivate static func tryLock(_ file: OpenFile, _ lock: FileLock) throws(UVError) -> Bool {
        while flock(file.rawValue, lock.rawValue | LOCK_NB) != 0 {
            let code = UVError.Code.lastSystemError
            if code == .resourceTemporarilyUnavailable { return false }
            if code != .interrupted { throw UVError(code, in: "lock", of: file.text) }
        }
        return true
    }
}

extension FileOperation where Value == Void {
    /// Takes a lock, or changes the kind of the one that the open file has, and waits until no other lock is in the way. The wait
    /// takes no thread: the loop asks again every 10 ms. A change gives the old lock up while it waits.
    public static func lock(_ file: FileDescriptor, _ lock: FileLock = .exclusive) -> Self {
        Self("lock") { subject in
            let file = OpenFile(file, subject)
            return { (request: PoolRequest?) throws(UVError) in
                if try FileOperation<Bool>.tryLock(file, lock) { return }
                guard let request else { throw UVError(.resourceTemporarilyUnavailable, in: "lock", of: file.text) }
                request.wait = .change
                return nil
            }
        }
    }

    /// Gives a lock up; without one it does nothing.
    public static func unlock(_ file: FileDescriptor) -> Self {
        Self("unlock", on: file) { file throws(UVError) in
            try checkSystem(flock(file.rawValue, LOCK_UN), "unlock", of: file.text)
        }
    }
}
