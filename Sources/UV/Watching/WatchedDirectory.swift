internal import SystemPackage

/// A directory that a ``WatchedTree`` watches, with the names in it.
///
/// Names are kept because the system does not say whether a renaming has replaced something, and so that a look at the
/// directory tells what has appeared and disappeared.
final class WatchedDirectory {
    enum Entry {
        case file
        /// With what is watched there; `nil` in a watch of one directory only.
        case directory(WatchedDirectory?)

        var isDirectory: Bool { if case .directory = self { true } else { false } }
        var directory: WatchedDirectory? { if case .directory(let directory) = self { directory } else { nil } }
    }

    /// Its name in the directory above; `nil` for the root.
    private(set) var name: FilePath.Component?
    private(set) var parent: WatchedDirectory?
    /// The system's number for the watch, -1 if there is none.
    var watch: CInt = -1
    /// Whether the same directory is watched by another path: the system knows only one watch of each.
    var isWatchedElsewhere = false
    /// Whether it is to be looked at. It stays so when it is not where it is thought to be: its new path will be told.
    var needsLook = false
    /// The number of the last look at the tree in which it was found.
    var look = 0
    /// Whether it has left the tree.
    var isDropped = false
    /// Whether it has lost its old path, and a new one has not been told.
    var isOnItsWay = false
    /// Whether the names in it have been read once.
    var isKnown = false
    var entries: [FilePath.Component: Entry] = [:]
    /// Names that something else has been renamed to. If it was an exchange, what had the name moves away from it next.
    var overwritten: Set<FilePath.Component> = []

    init(_ name: FilePath.Component?, in parent: WatchedDirectory?) {
        self.name = name
        self.parent = parent
    }

    func move(to name: FilePath.Component, in parent: WatchedDirectory) {
        self.name = name
        self.parent = parent
    }

    /// The directory that is on its way: this one, or one above.
    var traveller: WatchedDirectory? {
        var directory = self
        while true {
            if directory.isOnItsWay { return directory }
            guard let parent = directory.parent else { return nil }
            directory = parent
        }
    }

    /// Its path from the root down.
    func path(from root: FilePath) -> FilePath {
        var names: [FilePath.Component] = []
        var directory = self
        while let name = directory.name, let parent = directory.parent {
            names.append(name)
            directory = parent
        }
        return names.isEmpty ? root : root.appending(names.reversed())
    }

    /// Lets go of all that is below, which otherwise keeps itself.
    func forget() {
        for child in directories { child.forget() }
        entries = [:]
        parent = nil
    }

    /// The directories in it that are watched, or should be.
    var directories: [WatchedDirectory] { entries.values.compactMap(\.directory) }
}
