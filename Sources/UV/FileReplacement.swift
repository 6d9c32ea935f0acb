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
        file = try Files.open(
            temporary, .writeOnly, [.create, .exclusiveCreate], old == nil ? permissions : .ownerReadWrite)
        guard let old else { return }
        // Allowed to few.
        try? Files.setOwner(FileOwner(user: old.user, group: old.group), of: file)
        try Files.setPermissions(old.permissions, of: file)
    }

    /// Puts the file in place.
    ///
    /// - Parameter durably: Whether it is on the disk when this returns, name and content.
    /// - Parameter isReplacing: Whether something may have the name already; else that is `.fileExists`.
    func commit(durably: Bool, isReplacing: Bool = true) throws(UVError) {
        if durably { try Files.sync(file) }
        isOpen = false
        try Files.close(file)
        if isReplacing {
            try Files.rename(temporary, to: path)
        } else {
            try Files.renameToFreeName(temporary, to: path)
        }
        isInPlace = true
        if durably { try Self.sync(path.removingLastComponent()) }
    }

    private static func sync(_ directory: FilePath) throws(UVError) {
        let directory = try Files.open(directory.isEmpty ? "." : directory, .readOnly, .directory, nil)
        defer { try? Files.close(directory) }
        try Files.sync(directory)
    }

    deinit {
        if isOpen { try? Files.close(file) }
        if !isInPlace { try? Files.unlink(temporary) }
    }
}
