internal import CLibuv
internal import CPlatform
public import SystemPackage
internal import UVPlatform

/// A file that was opened below a directory, and what the system knew of it then.
public struct OpenedFile: Sendable {
    /// Somebody has to close it.
    public let descriptor: FileDescriptor
    /// What the system knew of the file when it was opened.
    public let status: FileStatus
    /// Whether its volume answers at once: see ``LocalVolumes``.
    package let isLocal: Bool

    init(_ descriptor: FileDescriptor, _ name: @autoclosure () -> String) throws(UVError) {
        do throws(UVError) { status = try Files.status(of: descriptor, name()) } catch {
            try? descriptor.close()
            throw error
        }
        LocalVolumes.learn(status.device, from: descriptor)
        isLocal = LocalVolumes.isLocal(status.device)
        self.descriptor = descriptor
    }
}

/// What is below an open directory. What leads out of it is `.improperLink`, whatever others exchange for symbolic links
/// meanwhile: absolute paths, absolute links, and `..` too far up. Other links are followed.
extension FileOperation where Value == OpenedFile {
    /// Opens a file and asks for its status, in one trip. Otherwise as ``FileOperation/open(_:_:options:permissions:)``.
    ///
    /// Replaces `uv_fs_open`: it cannot stay below a directory.
    public static func open(
        _ path: FilePath, below directory: FileDescriptor, _ mode: FileDescriptor.AccessMode = .readOnly,
        options: FileDescriptor.OpenOptions = [], permissions: FilePermissions? = nil
    ) -> Self {
        let flags = mode.rawValue | options.rawValue | O_CLOEXEC | O_NONBLOCK
        let permissions = (permissions ?? .ownerReadWrite).rawValue
        return Self("open", fault("open", [path])) { subject in
            { (_: PoolRequest?) throws(UVError) in
                let name = subject ?? path
                let file = unsafe path.withPlatformString {
                    unsafe cplatform_open_below(directory.rawValue, $0, flags, permissions)
                }
                try checkSystem(file, "open", of: name.string)
                return try OpenedFile(FileDescriptor(rawValue: file), name.string)
            }
        }
    }

    /// Asks for the status of an open file, and whether its volume answers at once.
    package static func look(at file: FileDescriptor) -> Self {
        Self("status", on: file) { file throws(UVError) in
            let status = try Files.status(of: file.descriptor, file.text)
            LocalVolumes.learn(status.device, from: file.descriptor)
            return OpenedFile(file.descriptor, status, isLocal: LocalVolumes.isLocal(status.device))
        }
    }
}

extension OpenedFile {
    fileprivate init(_ descriptor: FileDescriptor, _ status: FileStatus, isLocal: Bool) {
        self.descriptor = descriptor
        self.status = status
        self.isLocal = isLocal
    }
}

extension FileOperation where Value == FileStatus {
    /// What the system knows of a file.
    ///
    /// - Parameter followingLinks: Whether a symbolic link's target is meant, not the link.
    ///
    /// Replaces `uv_fs_stat`, `uv_fs_lstat`: they cannot stay below a directory.
    public static func status(
        of path: FilePath, below directory: FileDescriptor, followingLinks: Bool = true
    ) -> Self {
        below(directory, "status", path) { path, name throws(UVError) in
            let found = unsafe path.withPlatformString {
                unsafe cplatform_find_below(directory.rawValue, $0, followingLinks ? 1 : 0)
            }
            let file = FileDescriptor(rawValue: try checkSystem(found, "status", of: name))
            defer { try? file.close() }
            return try Files.status(of: file, name)
        }
    }
}

extension FileOperation where Value == [DirectoryEntry] {
    /// The entries of a directory without `.` and `..`, in the file system's order, up to a number of them.
    ///
    /// Replaces `uv_fs_scandir`: it cannot stay below a directory, and reads all there is.
    public static func entries(of path: FilePath, below directory: FileDescriptor, upTo limit: Int = .max) -> Self {
        below(directory, "entries", path, ["count": Int64(limit)]) { path, name throws(UVError) in
            let found = unsafe path.withPlatformString {
                unsafe cplatform_open_below(directory.rawValue, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
            }
            let file = FileDescriptor(rawValue: try checkSystem(found, "entries", of: name))
            defer { try? file.close() }
            guard let list = TreeDirectory(".", in: file.rawValue) else {
                throw UVError(.lastSystemError, in: "entries", of: name)
            }
            var entries: [DirectoryEntry] = []
            while entries.count < limit {
                guard let entry = list.next() else {
                    if errno != 0 { throw UVError(.lastSystemError, in: "entries", of: name) }
                    break
                }
                if let entry = DirectoryEntry(entry) { entries.append(entry) }
            }
            return entries
        }
    }
}

extension FileOperation where Value == [UInt8] {
    /// Reads a file from its start to its end. Otherwise as ``FileOperation/readFile(_:limit:)``.
    ///
    /// Calls `uv_fs_read`, `uv_fs_close`.
    public static func readFile(_ path: FilePath, below directory: FileDescriptor, limit: Int = 64 << 20) -> Self {
        Self("readFile", fault("readFile", [path], ["limit": Int64(limit)])) { subject in
            WholeRead(subject ?? path, limit: limit) { () throws(UVError) in
                try FileOperation<OpenedFile>.open(path, below: directory).run().descriptor
            }.goOn
        }
    }
}

extension FileOperation {
    /// - Parameter work: Gets the path, and what errors call it.
    static func below(
        _ directory: FileDescriptor, _ name: StaticString, _ path: FilePath,
        _ numbers: KeyValuePairs<StaticString, Int64> = [:],
        work: @escaping @Sendable (FilePath, _ name: String) throws(UVError) -> Value
    ) -> Self {
        Self(name, fault(name, [path], numbers)) { subject in
            { (_: PoolRequest?) throws(UVError) in try work(path, (subject ?? path).string) }
        }
    }
}
