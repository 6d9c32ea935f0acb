internal import CLibuv
internal import CPlatform
public import SystemPackage
internal import UVPlatform

extension FileOperation where Value == FileDescriptor {
    /// Opens a file, closed on exec.
    ///
    /// It never waits for the other side of a FIFO: without a reader to open it for writing is `.noSuchAddressOrDevice`. A regular
    /// file that another process has a lease on (see fcntl(2)) is `.resourceTemporarilyUnavailable`. The descriptor is one that
    /// does not block.
    ///
    /// - Parameter permissions: Those of a new file, less the process's mask; its owner's to read and write if `nil`.
    ///
    /// Calls `uv_fs_open`.
    public static func open(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode, options: FileDescriptor.OpenOptions = [],
        permissions: FilePermissions? = nil
    ) -> Self {
        // A FIFO without a writer would hold its thread for ever. Regular files know the flag only when somebody has a lease
        // on them.
        let flags = mode.rawValue | options.rawValue | O_CLOEXEC | O_NONBLOCK
        let permissions = CInt((permissions ?? .ownerReadWrite).rawValue)
        return unsafe call("open", path) {
            unsafe uv_fs_open(nil, $0, $1, flags, permissions, nil)
        } _: {
            unsafe FileDescriptor(rawValue: CInt($0.pointee.result))
        }
    }
}

extension FileOperation where Value == Void {
    /// Closes a file. It is closed even when an error is reported: an earlier write has failed then.
    ///
    /// Calls `uv_fs_close`.
    public static func close(_ file: FileDescriptor) -> Self {
        unsafe call("close", on: file) { unsafe uv_fs_close(nil, $0, $1, nil) }
    }

    /// Waits until a file's content and status are on the disk. Calls `uv_fs_fsync`.
    public static func sync(_ file: FileDescriptor) -> Self {
        unsafe call("sync", on: file) { unsafe uv_fs_fsync(nil, $0, $1, nil) }
    }

    /// As ``sync(_:)``. Not every file system has something to do for a directory or a file that it makes up.
    static func syncIfPossible(_ file: FileDescriptor) -> Self {
        Self("sync", on: file) { file throws(UVError) in
            do throws(UVError) { try sync(file.descriptor).run() } catch {
                if error.code != .invalidArgument, error.code != .notSupported { throw error }
            }
        }
    }

    /// Waits until a file's content is on the disk, and of its status what is needed to read it. Calls `uv_fs_fdatasync`.
    public static func syncData(_ file: FileDescriptor) -> Self {
        unsafe call("sync", on: file) { unsafe uv_fs_fdatasync(nil, $0, $1, nil) }
    }

    /// Cuts a file, or lengthens it with zeros. Calls `uv_fs_ftruncate`.
    public static func truncate(_ file: FileDescriptor, to size: Int64) -> Self {
        unsafe call("truncate", on: file, ["size": size]) { unsafe uv_fs_ftruncate(nil, $0, $1, size, nil) }
    }
}
