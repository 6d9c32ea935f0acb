internal import CLibuv
internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// An open directory of a tree that is worked on from its root down.
///
/// All is done relative to its descriptor: names that others exchange for symbolic links meanwhile lead nowhere. A parked
/// directory has no descriptor, so that the depth of a tree is not limited by their number.
@safe
final class TreeDirectory {
    /// Its own name; the root's is a whole path.
    let name: FilePath
    /// What was known of it when it was opened.
    let status: stat
    private(set) var descriptor: CInt
    private var entries: UnsafeMutableRawPointer?
    /// A directory that was parked has read its names to the end, and does not read itself again.
    private var isRead = false
    /// The names of them that it has not given out yet.
    private var parked: [(name: UnsafeMutablePointer<CChar>, kind: FileKind)] = unsafe []
    private var given: UnsafeMutablePointer<CChar>?

    @safe
    struct Entry {
        /// Good until the next one is asked for.
        let name: UnsafePointer<CChar>
        let kind: FileKind
    }

    /// Opens a directory, not a symbolic link to one unless that is asked for.
    ///
    /// - Parameter parent: A descriptor, or `AT_FDCWD` with a path.
    /// - Returns: `nil` with `errno` set.
    init?(_ name: FilePath, in parent: CInt, followingLink: Bool = false) {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLink ? 0 : O_NOFOLLOW)
        let descriptor = unsafe name.withPlatformString { name in
            repeated { unsafe openat(parent, name, flags) }
        }
        if descriptor < 0 { return nil }
        var status = stat()
        _ = unsafe fstat(descriptor, &status)
        self.name = name
        self.status = status
        self.descriptor = descriptor
    }

    deinit {
        closeDescriptor()
        dropNames()
        unsafe free(given)
    }

    func isSame(as other: stat) -> Bool { status.st_ino == other.st_ino && status.st_dev == other.st_dev }

    private func closeDescriptor() {
        if let entries = unsafe entries {
            unsafe cplatform_close_entries(entries)
        } else if descriptor >= 0 {
            _ = close(descriptor)
        }
        unsafe entries = nil
        descriptor = -1
    }

    /// The next name; `nil` with `errno` 0 at the end.
    func next() -> Entry? {
        unsafe free(given)
        unsafe given = nil
        if let entry = unsafe parked.popLast() {
            unsafe given = entry.name
            return unsafe Entry(name: entry.name, kind: entry.kind)
        }
        errno = 0
        return isRead ? nil : read()
    }

    private func read() -> Entry? {
        if unsafe entries == nil { unsafe entries = cplatform_open_entries(descriptor) }
        guard let entries = unsafe entries else { return nil }
        var type: UInt8 = 0
        guard let name = unsafe cplatform_next_entry(entries, &type) else { return nil }
        return unsafe Entry(name: name, kind: FileKind(mode: UInt64(type) << 12))
    }

    /// The kind of a name, where the listing does not say it.
    func kind(of entry: Entry) -> FileKind {
        if entry.kind != .unknown { return entry.kind }
        var status = stat()
        let isKnown = unsafe fstatat(descriptor, entry.name, &status, AT_SYMLINK_NOFOLLOW) == 0
        return isKnown ? FileKind(mode: UInt64(status.st_mode)) : .unknown
    }

    /// Gives no more names out.
    func dropNames() {
        while let entry = unsafe parked.popLast() { unsafe free(entry.name) }
        isRead = true
    }

    /// Starts again with the first name.
    func rewind() {
        isRead = false
        if let entries = unsafe entries { unsafe cplatform_rewind_entries(entries) }
    }

    /// Gives the descriptor up, for as long as a directory below is worked on.
    ///
    /// - Parameter isListed: Whether the names that it has not given out yet will be asked for.
    /// - Returns: Whether it could, else `errno` is set.
    func park(isListed: Bool) -> Bool {
        if descriptor < 0 { return true }
        if isListed, !readNames() { return false }
        closeDescriptor()
        return true
    }

    /// Reads all names, to give them out by the order of their bytes.
    ///
    /// - Returns: Whether it could, else `errno` is set.
    func sortNames() -> Bool {
        guard readNames() else { return false }
        unsafe parked.sort { unsafe strcmp($0.name, $1.name) > 0 }
        return true
    }

    private func readNames() -> Bool {
        if isRead { return true }
        errno = 0
        while let entry = read() {
            guard let name = unsafe strdup(entry.name) else { return false }
            unsafe parked.append((name, entry.kind))
        }
        isRead = errno == 0
        return isRead
    }

    /// Gets a descriptor again, from a directory in this one.
    ///
    /// - Returns: Whether it could, else `errno` is set: ENOENT when somebody has moved the one below.
    func unpark(from below: TreeDirectory) -> Bool {
        if descriptor >= 0 { return true }
        guard below.descriptor >= 0 else {
            errno = ENOENT
            return false
        }
        let new = repeated { unsafe openat(below.descriptor, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        if new < 0 { return false }
        var now = stat()
        guard unsafe fstat(new, &now) == 0, isSame(as: now) else {
            _ = close(new)
            errno = ENOENT
            return false
        }
        descriptor = new
        return true
    }
}
