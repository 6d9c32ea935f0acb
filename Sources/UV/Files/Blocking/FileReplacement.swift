internal import SystemPackage
internal import UVPlatform

/// New content for a name, written to a file beside it and then put in its place: whole or not at all.
final class FileReplacement {
    /// Open for writing.
    let file: FileDescriptor
    private let path: FilePath
    private let temporary: FilePath
    /// Where both names are; `nil` if they are whole paths.
    private let parent: HeldDirectory?
    private var isOpen = true
    private var isInPlace = false

    /// - Parameter path: The name, not a symbolic link.
    /// - Parameter parent: The directory that it is in, so that the path is one name; `nil` for a whole path.
    /// - Parameter old: What stands there now; the new file gets its permissions, and its owner if that is allowed.
    init(
        of path: FilePath, in parent: HeldDirectory? = nil, old: FileStatus?, permissions: FilePermissions?
    ) throws(UVError) {
        self.path = path
        self.parent = parent
        // Not the name with something added: that may be too long.
        let name = FilePath.Component(".swift-uv-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
        var temporary = path.removingLastComponent()
        if let name { temporary.append(name) }
        self.temporary = temporary
        let permissions = permissions ?? [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
        file = try Self.open(
            temporary, in: parent, .writeOnly, options: [.create, .exclusiveCreate],
            permissions: old == nil ? permissions : .ownerReadWrite)
        guard let old else { return }
        try Files.run(.setPermissions(Self.takeOver(old, to: file), of: file))
    }

    /// Gives the file the owner of the old one, as far as that is allowed.
    ///
    /// - Returns: The permissions that it may have: the right to run as the owner, or what was the old group's, must not go to
    ///   somebody else with it.
    private static func takeOver(_ old: FileStatus, to file: FileDescriptor) -> FilePermissions {
        if (try? Files.run(.setOwner(FileOwner(user: old.user, group: old.group), of: file))) != nil {
            return old.permissions
        }
        var allowed = FilePermissions(rawValue: old.permissions.rawValue & 0o777)
        if (try? Files.run(.setOwner(FileOwner(group: old.group), of: file))) == nil,
            (try? Files.run(.status(of: file)))?.group != old.group
        {
            allowed.subtract(.groupReadWriteExecute)
        }
        return allowed
    }

    /// Puts the file in place.
    ///
    /// - Parameter durably: Whether it is on the disk when this returns, name and content.
    /// - Parameter isReplacing: Whether something may have the name already; else that is `.fileExists`. For whole paths only.
    func commit(durably: Bool, isReplacing: Bool = true) throws(UVError) {
        if durably { try Files.run(.sync(file)) }
        isOpen = false
        try Files.run(.close(file))
        // Opened before the rename: what is wrong with the directory must show while the old content is there.
        let directory = durably ? try openDirectory() : nil
        defer { if let directory { try? Files.run(.close(directory)) } }
        if let parent {
            let directory = parent.descriptor.rawValue
            let status = unsafe temporary.withPlatformString { temporary in
                unsafe path.withPlatformString { unsafe renameat(directory, temporary, directory, $0) }
            }
            try checkSystem(status, "rename", of: path.string)
        } else if isReplacing {
            try Files.run(.rename(temporary, to: path))
        } else {
            try Files.run(.rename(temporary, toFree: path))
        }
        isInPlace = true
        if let directory { try Files.run(.syncIfPossible(directory)) }
    }

    private func openDirectory() throws(UVError) -> FileDescriptor {
        let directory = path.removingLastComponent()
        return try Self.open(directory.isEmpty ? "." : directory, in: parent, .readOnly, options: .directory)
    }

    private static func open(
        _ path: FilePath, in parent: HeldDirectory?, _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions, permissions: FilePermissions? = nil
    ) throws(UVError) -> FileDescriptor {
        guard let parent else {
            return try Files.run(.open(path, mode, options: options, permissions: permissions))
        }
        let flags = mode.rawValue | options.rawValue | O_CLOEXEC | O_NOFOLLOW
        let mode = (permissions ?? .ownerReadWrite).rawValue
        let file = unsafe path.withPlatformString { path in
            repeated { unsafe openat(parent.descriptor.rawValue, path, flags, mode) }
        }
        return FileDescriptor(rawValue: try checkSystem(file, "open", of: path.string))
    }

    deinit {
        if isOpen { try? Files.run(.close(file)) }
        if isInPlace { return }
        if let parent {
            _ = unsafe temporary.withPlatformString { unsafe unlinkat(parent.descriptor.rawValue, $0, 0) }
        } else {
            try? Files.run(.removeFile(temporary))
        }
    }
}
