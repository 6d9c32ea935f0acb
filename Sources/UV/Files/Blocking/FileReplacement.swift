internal import SystemPackage

/// New content for a name, written to a file beside it and then put in its place: whole or not at all.
final class FileReplacement {
    /// Open for writing.
    let file: FileDescriptor
    private let path: FilePath
    private let temporary: FilePath
    private var isOpen = true
    private var isInPlace = false

    /// - Parameter path: The name, not a symbolic link.
    /// - Parameter old: What stands there now; the new file gets its permissions, and its owner if that is allowed.
    init(
        of path: FilePath, old: FileStatus?, permissions: FilePermissions?
    ) throws(UVError) {
        self.path = path
        // Not the name with something added: that may be too long.
        let name = FilePath.Component(".swift-uv-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
        var temporary = path.removingLastComponent()
        if let name { temporary.append(name) }
        self.temporary = temporary
        let permissions = permissions ?? [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
        file = try Files.run(
            .open(
                temporary, .writeOnly, options: [.create, .exclusiveCreate],
                permissions: old == nil ? permissions : .ownerReadWrite))
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
    /// - Parameter isReplacing: Whether something may have the name already; else that is `.fileExists`.
    func commit(durably: Bool, isReplacing: Bool = true) throws(UVError) {
        if durably { try Files.run(.sync(file)) }
        isOpen = false
        try Files.run(.close(file))
        // Opened before the rename: what is wrong with the directory must show while the old content is there.
        let parent = path.removingLastComponent()
        let directory =
            durably ? try Files.run(.open(parent.isEmpty ? "." : parent, .readOnly, options: .directory)) : nil
        defer { if let directory { try? Files.run(.close(directory)) } }
        if isReplacing {
            try Files.run(.rename(temporary, to: path))
        } else {
            try Files.run(.rename(temporary, toFree: path))
        }
        isInPlace = true
        if let directory { try Files.run(.syncIfPossible(directory)) }
    }

    deinit {
        if isOpen { try? Files.run(.close(file)) }
        if !isInPlace { try? Files.run(.removeFile(temporary)) }
    }
}
